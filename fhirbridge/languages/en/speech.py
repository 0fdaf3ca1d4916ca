"""English: questions, answers, numbers and times as they are said. See `fhirbridge.languages.spoken.Rules`."""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.languages.en.doses import bare_dose as bare_dose
from fhirbridge.languages.en.doses import dose_unit as dose_unit
from fhirbridge.languages.en.doses import timing as timing
from fhirbridge.languages.en.numbers import numbers as numbers
from fhirbridge.languages.en.oncology import told as _of_tumours
from fhirbridge.languages.en.since import since as since
from fhirbridge.languages.en.smoking import told as _of_smoking
from fhirbridge.languages.spoken import Reply, Told

word_gap = " "
pair_word = " over "  # what stands between the numbers of a blood pressure that is not named

_NUMBER_WORD = (
    "one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|oh"
)
drop = re.compile(
    r"(?<=\w) (?=n't\b|'(?:s|m|re|ve|ll|d)\b)"  # do n't, i 'm
    r"|(?<=\bgon) (?=na\b)|(?<=\bwan) (?=na\b)|(?<=\bgot) (?=ta\b)|(?<=\bcan) (?=not\b)"
    r"|(?<=\d) (?=-year|-month|-day|-week|%)"
    r"|(?<![\w'-])(?:u+m+|u+h+|uhm+|er+m?|hmm+|mmm*|ah+|eh)(?![\w'-])[ ]*,?[ ]*"
    rf"|(?<![\w'-])(?!(?:{_NUMBER_WORD}|\d+|no|very|really|had|that)\b)([\w']+)(?:- ?| )+(?=\1(?![\w'-]))"  # my my
    r"|(?<![\w'-])(?!(?:no|one|two|six|ten)\b)([\w']{1,3}|it's|i've|that's|just|like|with|have|what|when|they|then|from|your|this|been)(?:-? ,? ?|, ?)+(?=\2(?![\w'-]))"
    r"|(?<![\w'-])[a-z]{1,3}- (?=[a-z])"  # le- are
    r"|,[ ]*(?=,)|[ ]+(?=[,.?!;:](?:\s|$))|[ ]{1,}(?= )"
)
loose = re.compile(
    r"(?<![\w'-])(?:(?:my|your|his|her|their|our|the|a|an|any|some|this|that|these|those|left|right|both|bit of|little bit of|"
    r"lot of|lots of|kind of|sort of|type of|kinds of|like|just|really|very|quite|pretty|super|little|bit|some kind of|"
    r"uh|you know|actually|maybe|also|having|got|been|slight|slightly|mild|severe|bad|terrible|occasional|constant|new|"
    r"increased|more|much|old)[ ]+)+"
)
# "ninety eight . seven" is a number, not two sentences
sentence_end = re.compile(
    r"(?:[?!;]|\.(?!\s+(?:zero|one|two|three|four|five|six|seven|eight|nine)\b(?! (?:of|more|thing|time|is|was|day|week|month|year|hundred))))+(?=\s|$)\s*|\n\s*"
)
# Where a question, a finding or another topic begins in words without stops.
clause_start = re.compile(
    r"(?<= )(?<!ahead )(?:"
    r"(?<!ing )(?<! is )(?<! are )(?<! was )(?<!been )(?<! be )(?<!'re )(?<!'s )(?<!'m )(?<! it )(?<!that )(?<!pretty )(?<!feel )"
    r"(?:okay|alright|all right) (?=(?:so|and|now|any|do|does|did|have|has|are|is|well|let|great|good|then|what|how|when|alright|okay|you|i|for|but|on|all right|your|no|yeah)\b)"
    r"|(?:and |so |now |but |well )*(?:(?:what|when|where|why|how(?: long| often| much| many| bad)?)(?: \w+)? )?"
    r"(?<!if )(?<!you )(?<! to )(?<! na )(?<!gonna )(?<!'ll )(?<!will )(?<!let )(?:(?:do|did|have|are|were) you|is (?:there|it|your)|are (?:there|your)|(?:do|does|did) (?:it|that|this|your)|have there|has (?:it|there|your|anyone)|(?:how|what) about)\b(?! know| (?:use|come|check|take|start|see|go|get|do|follow|stop|increase|decrease|try|back|return|call|schedule|keep|continue|wear|put|be)\b)"
    r"|(?:and |so |now |but )*on (?:your|the) (?:\w+ ){1,3}?exam\b"
    r"|(?:and |so |now |but )*for (?:your|the) (?:first|second|third|fourth|fifth|next|last|other|\w+ exam)\b"
    r"|let's (?:go|talk|see)\b"
    r")"
)
# An open question where nobody writes question marks.
opens = re.compile(
    r"(?:(?:and|so|but|okay|ok|well|now|right|alright|all right|um|then|just|yeah|no|fine|great|sorry) )*"
    r"(?:how (?:long|much|many|often|bad)|what (?:do|does|did|are|is|was|were|kind|sort|brings|brought|makes|happened)|when (?:did|do|was|were|is)|where (?:do|does|did|is|are|was)|why (?:do|did))\b"
)

# What stands before a thing that both speakers know of.
definite = re.compile(
    r"\bfor (?:your|the|this) $|(?:^|\b)(?:this|the|these|those|that)(?: (?:kind of|sort of|same|bad|left|right|lower|initial|first|last))? $"
)
# What tells of a procedure that is over.
done = re.compile(
    r"\b(?:show me|had|did|done|showed|shows|results?|came back|was|were|last|previous|prior|reviewed|since|underwent|performed|looked|looks?|looking at|normal|this is (?:a|an|your)|here is|here\'s|reveal\w*|demonstrat\w+|got|went|have had|you've had|ago|yesterday|taken)\b"
)
# A question about another place or time than the complaint's own.
qualified = re.compile(
    r"\b(?:anywhere else|elsewhere|other|else|normally|usually|before|in the past|previously|people (?:said|told|noticed|commented)|anyone (?:said|told|noticed|commented)|commented|ever had|ever been so|so (?:low|bad|severe|down|overwhelmed) that)\b"
)
# Words that bring the talk back from a relative to the patient.
own = re.compile(r"\b(?:i|it|me|my|myself|you|your|patient|but|however|okay|alright|all right|except|apart|so)\b")
# A clinician repeats what was told; that is no finding.
recounts = re.compile(
    r"\b(?:you mentioned|you said|you told|you say|you've told|you've been|you have been|you've had|you've got|has been|have been|you were)\b"
)
# "tia clinic", "flu shot", "anemia panel": the disease only names something else.
# "the back of my head", "the bottom part of your foot": the word before names only a part of what follows.
only_part = re.compile(
    r" (?:part |side |portion )?of (?:my|your|the|his|her|their|that|this) (?:\w+ )?(?:head|neck|throat|knee|leg|hand|mouth|eye|arm|thigh|foot|ankle|calf|tongue|heel|nose|ear|shoulder|wrist|elbow|hip|chest)"
)
parts = frozenset({"back", "bottom", "top", "front", "side", "base", "end"})
names_other = re.compile(
    r" (?:clinics?|screen(?:ing|s)?|tests?|panel|vaccines?|vaccination|shots?|leaflet|booklet|support group|specialists?|nurses?|team|association|foundation|society|awareness|prevention|work-?up|stud(?:y|ies)|program|trial)\b"
)
# Complaints that only the patient can tell, by the lexicon's names.
felt_only = frozenset(
    {
        "fatigue", "headache", "nausea", "dizziness", "chest pain", "back pain", "flank pain", "abdominal pain", "palpitations",
        "hemoptysis", "dysuria", "insomnia", "loss of appetite", "itching", "heartburn", "chills", "night sweats", "vomiting",
        "diarrhea", "constipation", "anxiety", "depressed mood", "stress", "shortness of breath", "sore throat", "hematuria",
    }
)  # fmt: skip
# What lies between a measure and a number that is not its value ("weigh yourself and call me if you gain two pounds").
not_measured = re.compile(
    r"\b(?:if|gain\w*|lose|lost|losing|call|every|yourself|myself|daily|pills?|medic\w+|tablets?|chem|bear(?:ing)?|should be|needs? to be|supposed to be|goal|target|greater than|less than|criteria|cbc|cmp|bmp)\b|\bchem-|(?:^|[ -])bear"
)
# A sentence that goes on with an "if" of the sentence before, and words in which a patient tells of themselves.
goes_on = re.compile(r"(?:(?:um|uh|okay|and|yeah),? )*or (?:if |your |you |you're |you've |it |there )")
told_of_self = re.compile(r"\b(?:i've|i have|i do|i get|i got|i had|i'm|i am|my|i feel|i can't|i don't|i haven't|no)\b")
# Words in which a clinician advises a medicine, though an "if" or "such as" stands before, and words that take it back.
advised = re.compile(r"\b(?:take|taking|try|trying|use|using|some|think about)(?:,? [\w'-]+){0,7},? $")
not_advised = re.compile(
    r"\b(?:people|patients|avoid\w*|stop\w*|don't|do not|not|without|instead|allerg\w+|side effects?|interact\w*|prevent\w*|if you(?:'re| are) (?:on|taking)|when you(?:'re| are) (?:on|taking))\b"
)
# Hormones, salts and vitamins are measured as well as taken.
measured_too = frozenset(
    {
        "testosterone", "dehydroepiandrosterone", "growth hormone", "estradiol", "estrogen", "progesterone", "cortisol", "insulin",
        "potassium", "calcium", "magnesium", "iron", "vitamin d", "cyanocobalamin", "folic acid", "glucose", "sodium", "zinc",
        "hydrocortisone", "levothyroxine", "prolactin", "thyroxine",
    }
)  # fmt: skip
measured_before = re.compile(
    r"\b(?:high|low|elevated|normal|raised|check\w* (?:your|the)|level of|levels of|deficient in|low on) $"
)
measured_after = re.compile(
    r" (?:levels?|deficien\w+|was (?:fine|normal|high|low|good|okay)|is (?:fine|normal|high|low)|stud(?:y|ies)|panel|resist\w+)\b"
)
# "your pfts" were done; a medicine asked about that the patient has left off.
owned = re.compile(r"\byour (?:last |recent |latest )?$")
whether_taken = re.compile(r"\b(?:tak\w+|us(?:e|ing)|still on|been on|tried) (?:the|your|that|this|those) $")
taking_it = re.compile(
    r"\b(?:are|do|have|were) you (?:still )?(?:been )?(?:take|taking|use|using) (?:that|it|this|them|those)\b"
)
left_off = re.compile(
    r"\b(?:we(?:a|e)ned (?:myself )?off|came off|went off|(?:i|i've|i have) stopped(?! (?:the|my) )|stopped taking|stopped (?:it|them|that)\b|(?:knocked|packed|jacked) (?:it|that|them) (?:on the head|in)|told me to stop|took me off (?:it|that|them)|quit (?:it|that|them)\b|only took (?:it|them) for|it (?:gave|made) me\b|didn't agree with me|not taking (?:it|that|them|those) (?:any ?more|now)|no longer (?:take|taking|on)|ran out|quit taking|not any ?more|used to take)\b"
)
ordered = re.compile(
    r"\b(?:order(?:ed|ing)?|re-?check(?:ing)?|repeat(?:ing)?|check another|send off)(?: (?:a|an|your|the|another|some|you|on|for|and|also|cbc)){0,4} $"
)
not_exact = re.compile(
    r"(?: hundreds| tens|'s\b|(?: out of (?:ten|10))?(?: is,?)? (?:being|the worst|extremely|no pain)|(?: (?:or|to) \w+)? times\b)"
)
loosely = re.compile(r"\b(?:above|over|below|under|than)\b(?! \w+ over)")
bounds = re.compile(r"\b(?:than|above|over|below|under|less|more|least|most) $")
if_before = re.compile(r"\bif (?:if )?(?:your|the|my|his|her|that)? ?$")
asked_of = re.compile(r"\b(?:did|have|has|are|do|does|were|when) (?:you|he|she|they)(?: \w+)? $")
# Diseases that pass, by the lexicon's English names.
passing = re.compile(
    r"exacerbation|flare|eclampsia|otitis|bronchiolitis|candidiasis|thrush|tonsillitis|cellulitis|croup|bronchitis|chickenpox|shingles|measles|mumps|mononucleosis|pancreatitis|diverticulitis|overdose|dislocat|heart attack|urinary tract|cystitis|pyelonephritis|meningitis|stroke|infarct|fracture|pneumonia|embol|thrombos|cancer|carcinoma|lymphoma|melanoma|stone|calcul|infection|injury|concussion|ulcer|hemorrhage|haemorrhage|bleed|abortion|miscarriage|transient|syncope|burn|sprain|covid|sepsis|attack|appendic|surgery"
)
# What puts a disease that passes into the past: "my heart attack in 2015", "pneumonia last winter".
long_ago = re.compile(
    r"(?:,? (?:that was|which was|was|it was|on the ice|really bad|once|twice))?,? (?:back )?(?:in (?:19|20)\d\d|in (?:nineteen|twenty)[ -]\w+|in (?:my|his|her) \w+ies\b|(?:a |about |some |many |like )*(?:\w+ )?(?:years?|months?) (?:ago|back)|years (?:ago|back)"
    r"|last (?:year|winter|summer|spring|autumn|fall|christmas|time|january|february|march|april|june|july|august|september|october|november|december)|at (?:\w+ )?(?:weeks?|months?|years?)\b|(?:as|when (?:i|he|she) was) (?:a |an )?\w+|with my (?:first|last|second)|before)\b"
)
# A question of what was before, and a saying that it was: "have you had ear infections before?"
asks_before = re.compile(r"\b(?:before|previously|in the past|last time|last pregnancy|ever had|ever been diagnosed)\b")
# A denial after the name: "a cough, no".
denied_after = re.compile(r", (?:no|nope|nah|not really|not at all|none)(?=[.,;]?\s*$|[.,;] (?!but\b))")
# "do you smoke?" - "not for six years"
given_up = re.compile(
    r"(?:no,? )?not (?:for|since|any ?more|in)\b|\b(?:gave|given) (?:it |them )?up\b|\bi (?:quit|stopped)\b"
)
# A likeness is no fact: "swollen like a grapefruit".
likened = re.compile(r"\blike an? (?:\w+ )?$")
severity = (
    (
        "mild",
        re.compile(
            r"\b(?:mild(?:ly)?|slight(?:ly)?|a (?:little )?bit(?! about| more about)|a little(?! bit| more| about)|minor|trace)\b"
        ),
    ),
    ("moderate", re.compile(r"\bmoderate(?:ly)?\b")),
    (
        "severe",
        re.compile(
            r"\b(?:severe(?:ly)?|terrible|awful|horrible|excruciating|unbearable|really bad|very bad|serious|intense)\b"
        ),
    ),
)
# The past tense of a story.
past_tense = re.compile(
    r"\b(?:was|were|got|went|became|felt|couldn't|had been|had (?:a|an|some|really|severe|this)|started)\b"
)
shown = re.compile(
    r"\b(?:show me|pull up|have ordered|had ordered|about that|you had|we did|drew|results? (?:of|from|for)|review(?:ed|ing)?|look(?:ing|ed)? at|last|recent|your (?:new|latest|previous)|came back|according to)\b[\w ,']*$"
)
_TAG = re.compile(
    r"(?:^|[\s,])(?P<tag>okay|ok|all right|alright|right|yeah|yes|you know|correct|sounds? good|does that sound (?:okay|good|alright)(?: to you)?"
    r"|(?:does that )?makes? sense|got it|good|is that (?:right|correct|okay|ok|fair)|isn't (?:it|that right)|are you|aren't you|have you|haven't you|do you|don't you|did you|is it)\s*\?+\s*$"
)
_CONFIRMS = re.compile(
    r"(?:right|correct|yeah|yes|is that (?:right|correct|fair)|isn't .*|are you|aren't you|have you|haven't you|do you|don't you|did you|is it)$"
)
_OPEN = re.compile(
    r"^(?:(?:and|so|but|okay|ok|well|now|right|alright|all right|um|then|just|yeah|no|fine|great|sorry)[,\s]+)*"
    r"(?:(?:can|could|would) you (?:just )?(?:tell me|describe|show|explain|point|rate)|tell me|"
    r"(?:and )?(?:when|where|why|who|which|how(?! about)|what(?! about)(?!'s about)|what's|what were|what was|since when|for how long))\b"
)
_YES_NO = re.compile(
    r"\b(?:do|does|did|have|has|had|are|is|was|were|can|could|any|will|would) (?:you|your|it|there|that|the|they|this|he|she|anyone|anybody|anything|other)\b"
    r"|^(?:and |so |but |okay |or )*(?:any|no)\b|\b(?:how|what) about\b"
)


def asks(sentence: str, clinician: bool) -> str:
    """ "yes-no", "open", "tag" for a question, "" for what is none; "okay?" at the end of a statement asks nothing."""
    text = sentence.strip()
    marked = text.endswith("?") or text.endswith("or-") or text.endswith("or -")
    if not marked:
        return ""
    tag = _TAG.search(text)
    if tag and tag.start() > 8:
        if not _CONFIRMS.search(tag["tag"]) or not clinician:
            return ""
        return "tag"
    if tag and tag.start() <= 8:
        return "tag" if _CONFIRMS.search(tag["tag"]) else ""
    if _OPEN.search(text) and not re.search(r"\bor (?:any|are|do|have|is)\b|\b(?:any|are there any) ", text):
        return "open"
    return "yes-no"


_LEAD = re.compile(
    r"^(?:(?:well|so|oh+|okay|ok|i mean|you know|let me (?:think|see)|sorry|honestly|to be honest|like|i guess|actually|and|but|doctor|thanks|right now|currently|um|uh|ah)[\s,.]+)+"
)
_REST_NO = re.compile(
    r"\b(?:(?:other|apart|aside|besides|except)(?: than| from)? (?:that|those|this|it)|besides that|otherwise|that's (?:about )?(?:it|all)|nothing else|none of the (?:other|rest)|no other|nothing more than that|but no\b|but not\b|just (?:the|a|an|some|my)|only (?:the|a|an|some|my))"
)
_CHANGED = re.compile(
    r"\b(?:actually|wait|sorry|i mean|oh no|well)[ ,.]+(?:actually[ ,]+|well[ ,]+)?(?P<to>yes|yeah|maybe|i do\b(?!n)|i have\b(?!n)|a little|sometimes|no\b|not really)"
)
_PERHAPS = re.compile(r"\b(?:it|that|there|they|i) (?:might|may|could)(?: well)? (?:be|have)\b")
_WHICH = {
    "first": re.compile(r"\b(?:(?:just |only )?the (?:first|former)(?: one)?)\b"),
    "last": re.compile(r"\b(?:(?:just |only )?the (?:last|latter|second)(?: one)?)\b"),
    "both": re.compile(
        r"\b(?:both|all of (?:them|the above|those|it|that)|all three|everything|a bit of both|a little bit of (?:both|everything|all))\b"
    ),
}


@lru_cache(maxsize=1)
def _replies() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    rows = languages.rows("en", "replies")
    polarity = {row["phrase"]: row["polarity"] for row in rows}
    first = sorted(polarity, key=len, reverse=True)
    inside = sorted((row["phrase"] for row in rows if row["place"] == "anywhere"), key=len, reverse=True)
    start = re.compile(rf"(?:{'|'.join(map(re.escape, first))})(?![\w'])")
    anywhere = re.compile(rf"(?<![\w'])(?:{'|'.join(map(re.escape, inside))})(?![\w'])")
    return start, anywhere, polarity


def reply(answer: str, question: str) -> Reply:
    """What a turn says in answer to a question."""
    start, anywhere, polarity = _replies()
    text = _LEAD.sub("", answer.strip())
    found = start.match(text)
    if found is None:
        found = anywhere.search(text[:90])
    said = polarity[found[0]] if found else ""
    changed = _CHANGED.search(text)
    if said and changed:
        said = "no" if changed["to"].startswith("no") else "yes"
    if said in ("", "unsure") and _PERHAPS.search(text):
        said = "maybe"
    which = next((name for name, pattern in _WHICH.items() if pattern.search(text[:120])), "")
    rest = "no" if _REST_NO.search(text) else ""
    return Reply(said, rest, which)


def pair(between: str) -> bool:
    """Whether the words between two numbers are those of a blood pressure."""
    return re.fullmatch(r"\s*(?:over|/|on|by)\s*", between) is not None


_MEASURE_UNIT = re.compile(
    r"\s*(?:(?P<Cel>degrees? (?:celsius|centigrade)|celsius|°c)|(?P<degF>degrees? fahrenheit|fahrenheit|°f)|(?P<lb>pounds?|lbs?)|(?P<kg>kilos?|kilograms?|kgs?)"
    r"|(?P<cm>centimeters?|centimetres?|cm)|(?P<inch>inches|in\b)|(?P<pc>percent|%)|(?P<mgdl>mg/dl|milligrams? per deciliter)|(?P<mmol>mmol|millimoles?))\b"
)
_MEASURE_UCUM = {
    "Cel": "Cel", "degF": "[degF]", "lb": "[lb_av]", "kg": "kg", "cm": "cm", "inch": "[in_i]", "pc": "%", "mgdl": "mg/dL",
    "mmol": "mmol/L",
}  # fmt: skip


def measure_unit(after: str) -> tuple[str, str] | None:
    """The unit said after a measured number, where it tells one row of `measures` from another."""
    match = _MEASURE_UNIT.match(after)
    if match is None or match.lastgroup is None:
        return None
    return match[0].strip(), _MEASURE_UCUM[match.lastgroup]


_WORDED = re.compile(
    r"^(?:,? ?(?:level|levels|reading|readings|number|numbers|today|here|in the office|at home|that|results?|you know|i think|and so|so|really|just|also|there|now|yeah))*"
    r"[,\s]*(?:is|are|was|were|'s|has been|have been|been|looks?|looked|seems?|came back|runs?|running|stays?|staying|appears?|got|gets|goes|went|being|has|have)\b"
    r"(?: (?:also|been|like|all|actually|a|little|bit|tiny|quite|pretty|really|very|just|still|looking|running|staying|mostly|nice and|super|so|too|fairly|slightly|up|back|on the|in the|within|well|usually|always|within the))*"
    r" (?P<value>good|fine|okay|ok|normal|great|stable|controlled|high(?:er)?|elevated|low(?:er)?|perfect|up|down|higher side|out of control|normal (?:range|limits)|in range|under control|better|excellent|all right|alright|borderline|abnormal)\b(?! (?:one|two|three|four|five|six|seven|eight|nine|\d))"
)


def worded_value(after: str) -> tuple[str, int] | None:
    """A value in words after the name of a measure ("has been really good"), and where it ends."""
    match = _WORDED.match(after)
    if match is None:
        return None
    return match["value"], match.end()


def told(text: str) -> list[Told]:
    """What a turn tells that needs code of its own to read: tumours, pack-years."""
    return [*_of_tumours(text), *_of_smoking(text)]


time_unit = re.compile(r"[ -]*(?:minutes?|hours?|days?|weeks?|months?|years?|times?|o'clock|am|pm|a\.m|p\.m)\b")
of_the_same = re.compile(r"\b(?:it|they|them|that|the readings?|the numbers?|readings? like)\b")
_ANSWERED = re.compile(
    r"(?:nothing (?:like )?out of the ordinary|within (?:the )?normal (?:range|limits)|in (?:the )?normal range|(?:pretty |quite |been |fairly |all |mostly |it's |they're |was |were |is |are )(?:good|fine|normal|okay|ok|high|low|stable|under control|well controlled|a bit high|a little high|a bit low))(?!\w)"
)


def answered_value(answer: str) -> tuple[str, int, int] | None:
    """What an answer says of a measured value in words, and where."""
    match = _ANSWERED.search(answer)
    return (match[0], match.start(), match.end()) if match else None
