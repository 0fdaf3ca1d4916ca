"""Medicines no list knows, told by their form or their stem: 温胃舒颗粒, 琥珀酸某某洛尔, 某某替尼."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.languages.zh.mention import Mention, Vocabulary, named

_FORM = (
    r"(?:肠溶|缓释|控释|分散|咀嚼|泡腾|含|口崩|舌下|双层|薄膜衣)?片|(?:肠溶|缓释|软|硬)?胶囊|(?:干混悬|混悬)?颗粒|口服液|混悬液|干混悬剂|口服溶液|糖浆|合剂|冲剂|滴丸|(?:浓缩|水蜜|大蜜|蜜)?丸|散"
    r"|注射液|滴眼液|滴鼻液|滴耳液|眼药水|软膏|乳膏|凝胶|喷雾剂?|气雾剂|吸入剂|栓剂|(?<=[疮道肛])栓(?!塞)|贴膏?|膏药|洗液|搽剂|滴剂|酊|冻干粉|安瓿|(?<=[^积输血体粘黏唾补脊精渗巾])液(?!体|化|晶)"
)
_STEM = (
    r"沙坦|地平|洛尔|他汀|普利|替尼|单抗|拉唑|西林|霉素|沙星|列汀|列净|格列[\u4e00-\u9fff]|双胍|噻嗪|康唑|硝唑|洛韦|那韦|夫定|昔布|洛芬|芬酸|他定|替丁|必利|西泮|唑仑|拉定|帕汀|曲普坦|膦酸"
    r"|培南|唑嗪|那雄胺|替诺福韦|恩替卡韦|奥司他韦|他滨|铂|紫杉醇|培美曲塞|泊苷|替康|来曲唑|莫司汀|沙班|格雷|格瑞洛|肝素|华法林|地高辛|胺碘酮|利多卡因|头孢(?!过|类|的|菌|吧|吗|没|都|也|就|用|吃|打|皮|不|青|能|可|有|还|是|和)[\u4e00-\u9fff]{1,2}(?<!过敏)|米松|泼尼松龙?|可的松|奈德|司特|特罗|溴铵|茶碱"
)
_START = re.compile(
    r"(?:吃|服|用|开|喝|加|打|是|的|和|跟|与|还有|以及|贴着?|含|换成?|过(?!氧)|了|点|个|着|叫|有|药|把|给|试试|及|或|再|先|那|你|我|他|她|这|让|嘴里|鼻子里|每次|喷|配合|合(?=天)|配|涂|抹|也|都|就|可以|建议|继续|现在|目前|在|医生|一直|平时|之前|以前|每天|天天|早晚各?|早中晚|睡前|晚上|嚼|各|口服|拿|买|\d)+"
)
_NOT = re.compile(
    r"^(?:[一二两三四五六七八九十半几多]+|药|消炎|止痛|感冒|降压|中药|照|拍|切|名|图|卡|胸|[ct线]+|x光|b超|什么|哪|这种?|那种?|整|每|大|小|一|两|吃|半|单|刀|底|影|病理|玻璃|好|次|肉|面|鱼|尿|相|照|明信|薯|叶|花|土|皮|心电图|检查|电影|创口|伸|退热|暖|张|拆|扩|解|疏|松|消|打|发|分|离|拍胸|抽|饭后?|个|的|了)*$"
)
_PRODUCT = re.compile(rf"(?P<name>(?:(?!个)[\u4e00-\u9fff]){{2,12}}?)(?P<form>{_FORM})(?![子长段刻面状肠])")
_STEMMED = re.compile(rf"(?P<name>(?:[\u4e00-\u9fff]{{0,6}})(?:{_STEM}))(?:[钠钾钙镁]|酸?盐)?(?:{_FORM})?")


# A name between a word of prescribing or taking and its dose is a medicine, whatever it is called.
_DOSED = re.compile(
    r"(?:开(?:点|个|了|一[盒瓶支])?|吃(?:点|的是|着)?|服用?|用(?:点|的是|着)?|加(?:上|用|个)?|换成?|先用|，)(?P<name>[\u4e00-\u9fff]{3,9}?)(?=[，、]?(?:一次|每次|1次|一天|每天|每日|1天|早晚|睡前|每晚|\d+(?:\.\d+)?(?:mg|毫克|g|片|粒)|[一二两三半][片粒袋包支]|bid|tid|qd|qn))"
)
_VERBAL = re.compile(
    r"[吃服用喝打的了不没就是有在和再还也要会让给我你他她天次片粒药水饭量多少一二两三四五六七八九十时每侧]"
)


def find(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """Names in `text` that end as medicines do."""
    for pattern in (_PRODUCT, _STEMMED):
        for match in pattern.finditer(text):
            start = match.start("name")
            name = match["name"]
            if _START.fullmatch(name):
                continue
            cut = _cut(name)
            short = name[-1] + (match["form"] if pattern is _PRODUCT else "")
            if len(name) > 2 and len(short) > 1 and name[-2] in "吃喝用服开" and lexicon.find(short, "zh"):
                cut = len(name) - 1  # 医生叫我吃钙片
            start, name = start + cut, name[cut:]
            if re.search(
                r"^[无有没]|半天不|拍|照|胸$|溢|渗|的|改善|治疗|这种|那种|其他|什么|多少|没有|不能|可能|感觉|还是|或者",
                name,
            ):
                continue
            if not name or name[-1] in "一二两三四五六七八九十半几多小每各0123456789":
                continue
            ending = match["form"] if pattern is _PRODUCT else ""
            if (
                len(name) < 2
                or _NOT.match(name)
                or (pattern is _PRODUCT and len(name) < 2 + (ending in ("片", "丸", "散", "贴", "栓")))
            ):
                continue
            whole = text[start : match.end()]
            mention = named(
                name if lexicon.find(name, "zh") else whole, "medication", lexicon, turn, start, match.end(), text
            )
            mention.formed = pattern is _PRODUCT
            if mention.kind == "medication":
                yield mention


def dosed(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """Names that stand between a word of taking and a dose."""
    for match in _DOSED.finditer(text):
        if not _VERBAL.search(match["name"]):
            yield named(match["name"], "medication", lexicon, turn, match.start("name"), match.end("name"), text)


def _cut(name: str) -> int:
    """How much of the run before the form is not the name: up to the last verb or joining word."""
    cut = 0
    for match in _START.finditer(name):
        if match.end() < len(name) - 1:
            cut = match.end()
    return cut
