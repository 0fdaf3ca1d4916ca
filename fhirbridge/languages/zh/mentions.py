"""What a Chinese turn talks about: names of the lexicon, everyday sayings, and a feeling at a part of the body.

Chinese negates and asks inside the words ("骨头不疼", "腿肿不肿"), so a part of the body, what may stand between, and
a feeling are read as one mention that knows whether it was negated or asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.languages.zh import operations, products
from fhirbridge.languages.zh.mention import Mention, Vocabulary, named
from fhirbridge.languages.zh.wording import Cleaned
from fhirbridge.records import Coding, Concept

ADVERBS = (
    r"(?:有点儿?|有一?些|一点儿?|老是?|总是?|经常|时常|常常?|也|都|倒是?|还算?|就|是|特别|很|挺|蛮|比较|偶尔会?|一直|容易|阵阵"
    r"|隐隐约约地?|隐隐(?:的|地)?|跟着|连着|着实|动不动|一会儿|啊|嘛(?![？。])|和后背|稍微|稍|轻微|轻度|中度|重度|明显|最近|现在|非常|十分|太|更|又|里头?|这儿|这边|那儿|这块儿?|那块儿?|上|部位?|两边|双侧|两侧|左侧|右侧|中间|这里|那里|周围|位置|觉得|感觉|会|有时候?|时常|突然|时不时|反复|怎么)*"
)
NEGATION = r"(?P<no>未触及|未扪及|未闻及|未及|没有?摸到|没摸着|不怎么|不太|没怎么|没有|没啥|没|未见?|不|无|否认)?"


@dataclass(frozen=True, slots=True)
class _Saying:
    kind: str
    name: str
    good: bool
    value: str
    clinician: bool
    pattern: re.Pattern[str]


@lru_cache(maxsize=1)
def _sayings() -> tuple[_Saying, ...]:
    found = []
    for row in languages.rows("zh", "sayings"):
        pattern = row["pattern"].replace("{A}", ADVERBS).replace("{N}", NEGATION)
        found.append(
            _Saying(row["kind"], row["name"], row["status"].strip() == "good", row["value"].strip(),
                    row["who"].strip() == "clinician", re.compile(pattern))
        )  # fmt: skip
    return tuple(found)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w)))


@lru_cache(maxsize=1)
def _felt() -> tuple[re.Pattern[str], dict[str, str], dict[str, tuple[str, str]], dict[tuple[str, str], str]]:
    sites: dict[str, str] = {}
    for row in languages.rows("zh", "sites"):
        for word in row["said"].split("|"):
            sites.setdefault(word, row["site"])
    feelings: dict[str, tuple[str, str]] = {}
    for row in languages.rows("zh", "feelings"):
        for word in row["said"].split("|"):
            feelings.setdefault(word, (row["feeling"], row["name"]))
    names = {(row["site"], row["feeling"]): row["name"] for row in languages.rows("zh", "combinations")}
    site, feeling = _alternatives(sites), _alternatives(feelings)
    pattern = re.compile(
        rf"(?P<side>[左右双两](?:边|侧)?)?(?P<site>{site})(?:的)?{ADVERBS}(?:有没有|有无|会不会|是不是)?{NEGATION}{ADVERBS}"
        rf"(?:(?P<feeling>{feeling})(?!醉|烦|疹|黄|辣|热|车|水|菜|快|什么|嘛|呕|咳|哕|重|活|净|预|扰|细胞|枣|花|糖|包|张|淀|默|瘤|块|物)(?P<ask>(?:得|的)?不(?P=feeling)|不(?P<askee>[疼痛肿麻痒闷慌晕胀]))?)"
    )
    return pattern, sites, feelings, names


def find(clean: Cleaned, turn: int, lexicon: Vocabulary, clinician: bool) -> list[Mention]:
    """The mentions of a cleaned turn in order, the longest where they overlap."""
    text = clean.text
    found = [
        *operations.vaccines(text, turn, lexicon),
        *_said(text, turn, lexicon, clinician),
        *_feelings(text, turn, lexicon),
        *_organs(text, turn, lexicon),
        *operations.find(text, turn, lexicon),
    ]
    by_name = list(_named(clean, turn, lexicon))
    drugs = [m for m in by_name if m.kind == "medication"]
    made = [
        m
        for m in products.find(text, turn, lexicon)
        if not any(d.start < m.start < d.end for d in drugs)
        and (m.formed or not any(m.start <= d.start and d.end <= m.end for d in drugs))
    ]
    found += [*_untiled(by_name, [*found, *by_name]), *made]
    found += [
        m
        for m in products.dosed(text, turn, lexicon)
        if m.kind == "medication" and all(m.end <= k.start or m.start >= k.end for k in found)
    ]
    kept = _longest(found)
    return sorted([*kept, *operations.tumours(by_name, kept)], key=lambda m: m.start)


_SKIP = {"allergen", "anatomy", "organism", "gene", "vital-sign", "analyte", "score", "biomarker", "social"}
_SKIP_KEYS = {
    "follow-up",
    "physical examination",
    "blood test",
    "emergency care",
    "pregnancy",
    "menopause",
    "outpatient visit",
}
# Treatments that are done or ordered; rest, diet and the like are advice.
_TREATMENT = re.compile(
    r"[化放理]疗|透析|吸氧|氧疗|移植|针灸|石膏|固定|牵引|[溶取]栓|介入|栓塞|消融|呼吸机|靶向治疗|免疫治疗|内分泌治疗|康复(?:治疗|训练)|按摩|推拿|电疗|光疗|手术|雾化|输血|起搏"
)


@lru_cache(maxsize=1)
def _unrecorded() -> frozenset[str]:
    return frozenset(row["name"] for row in languages.rows("zh", "unrecorded"))


def _named(clean: Cleaned, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    text = clean.text
    for hit in lexicon.scan(clean.cased, "zh", overlapping=True):
        start, end = hit.span.offset, hit.span.end
        words, entry = text[start:end], hit.entry
        if (
            len(words) == 1
            or entry.kind in _SKIP
            or words in _unrecorded()
            or (words.isascii() and not _latin_name(words, entry.kind))
        ):
            continue
        if (
            entry.key in _SKIP_KEYS
            or words in ("复发了", "称体重")
            or (words == "晕倒" and text[end : end + 1] in tuple("是不"))
            or re.match(r"[量测](?:个|一下)?(?:血压|体温|体重|身高|心率|血糖)", words)
            or (entry.kind == "therapy" and not _TREATMENT.search(words))
        ):
            continue
        if "过敏" in words and "allerg" in entry.key and "rhin" not in entry.key:
            continue  # allergies are read by themselves
        if words.endswith("病") and text[end : end + 1] in tuple("灶变理程情" + "史" * (len(words) < 3)):
            continue  # 肺病灶 is no 肺病
        if words == "无尿" and text[end : end + 1] in tuple("频急痛路道"):
            continue  # 无尿频、尿急 denies
        if entry.kind == "condition" and re.match(r"(?:早期|早)?(?:筛查|疫苗|专家|科普)", text[end : end + 4]):
            continue  # a screening for it, not the disease
        if text[start - 1 : start] == "非" and entry.kind not in ("medication", "procedure"):
            continue
        if entry.kind == "procedure":
            start = _imaged(text, start, words)
            words = text[start:end]
        concept = entry.in_language("zh")
        if entry.kind in ("medication", "medication-class", "procedure", "therapy"):
            concept = _as_said(clean.cased[start:end], concept, entry.key)
        kind = "procedure" if entry.kind == "medication-class" and words in ("溶栓", "溶栓治疗") else entry.kind
        yield Mention(turn, start, end, kind, entry.key, concept, words)


_IMAGE = re.compile(r"^(?:超声|彩超|b超|ct|cta|mri|核磁|磁共振|x线|平片|增强ct|增强磁共振)")
_IMAGED = re.compile(
    r"(?:头颅|头颈|头部|颅脑|颈部|颈椎|颈动脉|胸部|胸|肺部?|腹部|全腹|上腹|肝胆|泌尿系|盆腔|妇科|阴道|乳腺|甲状腺|心脏|腰椎|胸椎|膝关节|髋关节|双?下肢|淋巴结|血管|动脉|静脉|鼻窦|垂体|前列腺|阴囊|浅表|软组织)+(?:的)?(?:增强|平扫)?$"
)


def _imaged(text: str, start: int, words: str) -> int:
    """Where the name of a picture begins with the part of the body it is of: 颈部超声."""
    if not _IMAGE.match(words):
        return start
    match = _IMAGED.search(text[:start])
    return match.start() if match else start


def _as_said(words: str, concept: Concept, key: str) -> Concept:
    """A medicine or procedure under the name it was given, with the concept it is as a code."""
    words = re.sub(r"^(?:查|做|拍|照|去|打|吃|服|用|贴|输|打了|吃了)(?=.{2})", "", words)
    said = re.sub(r"(?<![A-Za-z])[a-z]{2,4}(?![A-Za-z])", lambda m: m[0].upper(), words)
    if said == concept.name:
        return concept
    return Concept(said, concept.codings or (Coding(LEXICON, key, concept.name),))


LEXICON = "urn:fhirbridge:lexicon"  # this project's own concepts, where no public code is decided


def _latin_name(words: str, kind: str) -> bool:
    return len(words) > 2 or kind in ("medication", "procedure")


def _said(text: str, turn: int, lexicon: Vocabulary, clinician: bool) -> Iterator[Mention]:
    for saying in _sayings():
        if saying.clinician and not clinician:
            continue
        for match in saying.pattern.finditer(text):
            mention = named(saying.name, saying.kind, lexicon, turn, match.start(), match.end(), text)
            mention.good = saying.good
            groups = match.groupdict()
            mention.negated = bool(groups.get("no"))
            if saying.value:
                mention.value = match.expand(saying.value) if "\\" in saying.value else saying.value
            yield mention


def _feelings(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    pattern, sites, feelings, names = _felt()
    for match in pattern.finditer(text):
        if match[0] == "心疼" and text[match.start() - 1 : match.start()] in tuple("好真挺很太别"):
            continue  # to feel sorry for somebody
        site = sites[match["site"]]
        feeling, ending = feelings[match["feeling"]]
        if match["feeling"] == "干" and (site, feeling) not in names:
            continue  # 身上干 is as likely a verb
        name = names.get((site, feeling)) or (site + ending if ending and len(match["site"]) > 1 else "")
        if not name and ending and site in _CLEAR:
            name = site + ending
        if not name:
            continue
        if site in ("踝关节", "足", "小腿", "下肢") and feeling == "肿" and re.match(r"[左右]", match["side"] or ""):
            name = site + "肿胀"  # one side swells from an injury, both from the heart
        mention = named(name, "symptom", lexicon, turn, match.start(), match.end(), text)
        mention.site = (match["side"] or "") + match["site"]
        if match["ask"]:
            mention.asked = True
        elif match["no"]:
            mention.negated = True
        yield mention
        yield from _sites_before(text, match, mention, sites, names, ending, feeling, turn, lexicon)


def _sites_before(
    text: str, match: re.Match[str], last: Mention, sites: dict[str, str], names: dict[tuple[str, str], str],
    ending: str, feeling: str, turn: int, lexicon: Vocabulary,
) -> Iterator[Mention]:  # fmt: skip
    """The other parts of the body that share a feeling: 膝盖、脚脖子疼不疼."""
    before = _sites_joined().search(text[: match.start()])
    for word in re.split("[、和跟]", before[0].strip("、和跟")) if before else ():
        site = sites[re.sub(r"^[左右双两](?:边|侧)?(?=.)", "", word)] if word in sites else ""
        name = names.get((site, feeling)) or (site + ending if ending and site and len(word) > 1 else "")
        if name and before:
            start = before.start() + before[0].find(word)
            mention = named(name, "symptom", lexicon, turn, start, start + len(word), text)
            mention.site, mention.asked, mention.negated = word, last.asked, last.negated
            yield mention


@lru_cache(maxsize=1)
def _sites_joined() -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{_alternatives(w for w in _felt()[1] if len(w) > 1)})[、和跟])+$")


_CLEAR = {
    "髋关节",
    "踝关节",
    "肘关节",
    "腕关节",
    "大腿",
    "小腿",
    "腰",
    "背",
    "肩",
    "颈",
    "手",
    "足",
    "眼",
    "耳",
    "牙",
    "鼻",
    "舌",
    "下肢",
    "骨",
    "膝关节",
}


_ORGAN = (
    r"上颌窦|筛窦|额窦|蝶窦|鼻甲|鼻窦|鼻中隔|腺样体|甲状腺|乳腺|(?<=[左右双])乳|肝内?胆管|胆管|胆囊|胆|肝脏?|双?肾脏?|肾上腺|输尿管|膀胱|前列腺|子宫|宫颈|卵巢|盆腔|附件|输卵管|阴道|外阴|胰腺|脾脏?"
    r"|胃肠|胃窦|胃|十二指肠|结肠|直肠|肠道|肠|食管|食道|肺部?|支气管|气管|胸膜|心包|主动脉|颈动脉|冠脉|冠状动脉|二尖瓣|三尖瓣|颈椎|腰椎|胸椎|椎间盘|腰间盘|半月板"
    r"|脑|垂体|皮肤|淋巴结|声带|牙龈|牙髓|角膜|结膜|晶状体|视网膜|中耳|外耳道|鼓膜|关节|滑膜|肌腱|腱鞘|筋膜|神经|植物神经|自主神经|内分泌|离子|电解质|骨|睾丸|附睾|包皮|肛周"
)
_CHANGE = (
    r"功能(?:紊乱|失调|不全|减退|异常|亢进|衰竭)|(?:多发|轻度|中度|重度|轻微|慢性|急性)?(?:紊乱|肥大|增生|囊肿|息肉|结节|结石|钙化|积液|积水|脱垂|狭窄|扩张|萎缩|肌瘤|血管瘤|溃疡|穿孔|梗阻|脓肿|糜烂|膨出|突出"
    r"|撕裂|损伤|硬化|纤维化|畸形|偏曲|粘连|骨折|脱位|水肿|病变|返流|反流|关闭不全|斑块|占位|肿块|肿物|炎(?!症|性)|腺癌|鳞状细胞癌|鳞癌|小细胞癌|癌(?!胚|症)|恶性肿瘤)"
)
_DISORDER = re.compile(
    rf"(?P<organ>{_ORGAN})(?:有|长(?:了)?|的|里有|上有|[上中下]段|[上下中]极|[上中下]叶|浸润性|中央型|周围型|[中低高]分化|原发性|内|部|见|可见)?(?:点|个|些|一个|多个|几个)?(?P<change>{_CHANGE})"
)


def _organs(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """An organ and what has become of it, for the many that no list of names has."""
    for match in _DISORDER.finditer(text):
        if re.match(r"(?:早期|早)?(?:筛查|疫苗)", text[match.end() : match.end() + 4]):
            continue
        yield named(
            re.sub(r"^乳$", "乳腺", match["organ"])
            + re.sub(r"^(?:多发|轻度|中度|重度|轻微|慢性|急性)", "", match["change"]),
            "condition",
            lexicon,
            turn,
            match.start(),
            match.end(),
            text,
        )


def _untiled(by_name: list[Mention], found: list[Mention]) -> list[Mention]:
    """Without names that are only others side by side ("胸闷气短" is two symptoms, not one)."""
    starts: dict[int, list[Mention]] = {}
    for mention in found:
        starts.setdefault(mention.start, []).append(mention)

    def tiled(mention: Mention) -> bool:
        return any(
            first.end < mention.end and first.key != second.key and second.end == mention.end
            for first in starts.get(mention.start, ())
            for second in starts.get(
                first.end + (mention.text[first.end - mention.start :][:1] in tuple("、和及与")), ()
            )
        )

    return [m for m in by_name if m.end - m.start < 4 or _OF_A_DISEASE.match(m.text) or not tiled(m)]


# A complication is named by its cause and is one thing: 糖尿病肾病, 高血压心脏病.
_OF_A_DISEASE = re.compile(
    r"(?:糖尿病|高血压|酒精|乙肝|狼疮|痛风|甲亢|风湿|肺源|肝炎后|尿毒症|慢性肾脏病)性?(?:后)?(?:[周围自主神经]{0,4}病变|肾病|肾损害|肾炎|视网膜病变?|足(?!部)|酮症|心脏病|心肌病|脑病|肝硬化|关节炎|贫血|眼底病变|昏迷)"
)


def _longest(found: list[Mention]) -> list[Mention]:
    """Without those that overlap a longer one; of equal ones a lexicon name first."""
    kept: list[Mention] = []
    order = {id(m): i for i, m in enumerate(found)}
    for mention in sorted(found, key=lambda m: (-(m.end - m.start), order[id(m)])):
        if all(mention.end <= k.start or mention.start >= k.end for k in kept):
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


_ALONE = re.compile(
    r"(?:^|[，。！？、；]|有时候?|偶尔|会|老|总是?|隐隐(?:的|地)?|一直|还|也|就|又|有点儿?|有些|阵阵|按着|晚上|白天|走路|活动|一动|吃完|饭后|饿的?时候|一碰|摸着|的时候|特别|很|挺|最近|现在|开始|突然|持续|就是|阵发性?的?)"
    r"(?P<no>说不上|谈不上|不太|不怎么|不咋|不|没有?)?(?P<feeling>疼|痛|痒|麻|胀|肿|闷|憋)(?P<ask>不(?P=feeling))?(?=得|的|了|过|吗|么|[，。？！、]|$|啊|呀|起来)"
)


def site_of(mention: Mention) -> str:
    """The part of the body a symptom is at, as the sites table names it; "" if it names none."""
    _, sites, _, _ = _felt()
    match = re.match(r"[左右双两]?(?:边|侧)?", mention.text)
    start = match.end() if match else 0
    return next(
        (
            sites[mention.text[start:end]]
            for end in range(len(mention.text), start, -1)
            if mention.text[start:end] in sites
        ),
        "",
    )


@lru_cache(maxsize=1)
def _places() -> re.Pattern[str]:
    return re.compile(_alternatives(w for w in _felt()[1] if len(w) > 1 or w in "胃腰"))


def last_place(text: str) -> str:
    """The part of the body a turn names last, as the sites table names it; "" if none."""
    words = _places().findall(text)
    return _felt()[1][words[-1]] if words else ""


def alone(text: str, turn: int, lexicon: Vocabulary, found: list[Mention], site: str) -> Iterator[Mention]:
    """A feeling without its place ("疼不疼?", "有时候会隐隐的疼"), at the place that was spoken of last."""
    _, _, feelings, names = _felt()
    for match in _ALONE.finditer(text):
        start, end = match.start("no") if match["no"] else match.start("feeling"), match.end()
        if any(m.start < end and start < m.end for m in found):
            continue
        earlier = [s for m in found if m.end <= start and (s := site_of(m))]
        place = earlier[-1] if earlier else site
        feeling, ending = feelings[match["feeling"]]
        name = names.get((place, feeling)) or (place + ending if place and ending and len(place) > 1 else "")
        if not name:
            continue
        mention = named(name, "symptom", lexicon, turn, start, end, text)
        mention.asked, mention.negated = bool(match["ask"]), bool(match["no"]) and not match["ask"]
        yield mention
