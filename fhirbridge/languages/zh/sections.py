"""What a doctor asks about in general ("睡眠怎么样"), and the headings of a Chinese note."""

from __future__ import annotations

import re

TOPICS = (
    (re.compile(r"睡眠|睡(?:得|的|觉)"), "失眠"),
    (re.compile(r"胃口|食欲|饭量|吃饭|吃东西|饮食|吃奶|吃得"), "食欲减退"),
    (re.compile(r"精神(?!病|科|分裂|障碍|类)"), "精神萎靡"),
)
HOW = re.compile(r"怎么样|如何|咋样|好吗|好不好|还好吗|正常吗|行吗|可以吗|呢[？?]?$|吗[？?]?$|？$")
HEADINGS = (
    ("family", re.compile(r"^\s*家族史")),
    ("past", re.compile(r"^\s*(?:既往史|过去史|既往病史)")),
    ("social", re.compile(r"^\s*(?:个人史|社会史|月经史|婚育史|婚姻史)")),
    ("exam", re.compile(r"^\s*(?:体格检查|查体|专科检查|体检|体征)")),
    ("tests", re.compile(r"^\s*(?:辅助检查|实验室检查|检查结果|影像)")),
    ("diagnosis", re.compile(r"^\s*(?:初步诊断|入院诊断|诊断|出院诊断|临床诊断|印象)")),
    ("plan", re.compile(r"^\s*(?:处理|治疗(?:计划|方案)?|诊疗计划|医嘱|建议|计划)")),
    ("story", re.compile(r"^\s*(?:主诉|现病史)")),
    ("allergy", re.compile(r"^\s*过敏史")),
)
