"""What is a kind of what: cases a clinician can read."""

from __future__ import annotations

import pytest

from fhirbridge.records import Coding, Concept
from fhirbridge.terminology import lexicon

WORDS = lexicon.load()
ICD = "http://hl7.org/fhir/sid/icd-10-cm"

IS_A = """
lung adenocarcinoma < non-small cell lung cancer
lung adenocarcinoma < lung cancer
肺腺癌 < 非小细胞肺癌
肺腺癌 < solid tumor
squamous cell lung cancer < NSCLC
small cell lung cancer < lung cancer
NSCLC < malignant neoplasm
glioblastoma < brain tumor
multiple myeloma < hematologic malignancy
diffuse large B-cell lymphoma < lymphoma
AML < leukemia
triple-negative breast cancer < breast cancer
brain metastasis < metastatic cancer
leptomeningeal metastasis < brain metastasis
hepatocellular carcinoma < liver cancer
type 2 diabetes < diabetes mellitus
2型糖尿病 < 糖尿病
diabetic nephropathy < kidney disease group
heart attack < coronary artery disease
心梗 < 心血管疾病
hypertension < cardiovascular disease
atrial fibrillation < arrhythmia
HFrEF < heart failure
stroke < cardiovascular disease
ischemic stroke < stroke
pulmonary embolism < venous thromboembolism
COPD < respiratory disease
emphysema < COPD
pulmonary fibrosis < interstitial lung disease
Crohn's disease < inflammatory bowel disease
Crohn's disease < autoimmune disease
lupus < autoimmune disease
rheumatoid arthritis < autoimmune disease
psoriasis < skin disease
hepatitis B < viral infection
乙肝 < hepatitis
tuberculosis < infection
HIV infection < infection
pneumonia < infection
UTI < infection
oral thrush < fungal infection
epilepsy < neurological disease
depression < mental disorder
schizophrenia < psychosis
CKD < genitourinary disease
hip fracture < fracture
knee osteoarthritis < arthritis
osimertinib < EGFR tyrosine kinase inhibitor
osimertinib < third-generation EGFR TKI
奥希替尼 < EGFR-TKI
gefitinib < first-generation EGFR TKI
afatinib < tyrosine kinase inhibitor
alectinib < ALK inhibitor
pembrolizumab < PD-1 inhibitor
K药 < immune checkpoint inhibitor
信迪利单抗 < PD-1/PD-L1抑制剂
atezolizumab < PD-L1 inhibitor
pembrolizumab < immunotherapy
ipilimumab < CTLA-4 inhibitor
carboplatin < platinum chemotherapy
顺铂 < 铂类
carboplatin < chemotherapy
cisplatin < anticancer therapy
docetaxel < taxane
doxorubicin < anthracycline
trastuzumab < anti-HER2 therapy
T-DXd < antibody-drug conjugate
palbociclib < CDK4/6 inhibitor
olaparib < PARP inhibitor
letrozole < hormone therapy
goserelin < androgen deprivation therapy
bevacizumab < VEGF inhibitor
lipitor < statin
lisinopril < antihypertensive
拜新同 < calcium channel blocker
losartan < ARB
metoprolol < beta blocker
warfarin < anticoagulant
rivaroxaban < DOAC
clopidogrel < antiplatelet
aspirin < NSAID
ibuprofen < analgesic
oxycodone < opioid
prednisone < corticosteroid
budesonide < corticosteroid
tacrolimus < immunosuppressant
adalimumab < TNF inhibitor
adalimumab < immunosuppressant
lantus < insulin
semaglutide < GLP-1 receptor agonist
dapagliflozin < antidiabetic agent
sertraline < antidepressant
amitriptyline < tricyclic antidepressant
phenelzine < MAOI
olanzapine < antipsychotic
keppra < anticonvulsant
amoxicillin < penicillin
头孢曲松 < cephalosporin
levofloxacin < fluoroquinolone
azithromycin < antibiotic
ritonavir < strong CYP3A4 inhibitor
itraconazole < CYP3A4 inhibitor
rifampicin < strong CYP3A4 inducer
amiodarone < QT-prolonging drug
furosemide < diuretic
EGFR exon 19 deletion < EGFR sensitizing mutation
L858R < EGFR mutation
T790M < EGFR mutation
KRAS G12C < KRAS mutation
BRAF V600E < BRAF mutation
dMMR < microsatellite instability
ER positive < hormone receptor positive
HER2 amplification < HER2 positive
SBRT < anticancer therapy
concurrent chemoradiotherapy < chemotherapy
"""
IS_NOT_A = """
lung cancer < non-small cell lung cancer
non-small cell lung cancer < lung adenocarcinoma
small cell lung cancer < non-small cell lung cancer
breast cancer < triple-negative breast cancer
diabetes mellitus < type 2 diabetes mellitus
type 1 diabetes < type 2 diabetes
lymphoma < solid tumor
leukemia < lymphoma
osteoarthritis < rheumatoid arthritis
osteoarthritis < autoimmune disease
hypertension < heart failure
benign prostatic hyperplasia < prostate cancer
EGFR tyrosine kinase inhibitor < osimertinib
osimertinib < first-generation EGFR TKI
pembrolizumab < PD-L1 inhibitor
carboplatin < taxane
paclitaxel < platinum chemotherapy
aspirin < opioid
T790M < EGFR sensitizing mutation
EGFR exon 20 insertion < EGFR sensitizing mutation
metformin < insulin
hydrocortisone < immune checkpoint inhibitor
pneumonia < interstitial lung disease
migraine < epilepsy
uterine fibroids < gynecologic cancer
fluconazole < strong CYP3A4 inhibitor
"""


def pairs(text: str) -> list[tuple[str, str]]:
    return [(a.strip(), b.strip()) for a, b in (line.split(" < ") for line in text.strip().splitlines())]


@pytest.mark.parametrize(("narrow", "wide"), pairs(IS_A))
def test_is_a(narrow: str, wide: str) -> None:
    assert WORDS.find(narrow) is not None
    assert WORDS.find(wide) is not None
    assert WORDS.is_a(narrow, wide)


@pytest.mark.parametrize(("narrow", "wide"), pairs(IS_NOT_A))
def test_is_not_a(narrow: str, wide: str) -> None:
    assert WORDS.find(narrow) is not None
    assert WORDS.find(wide) is not None
    assert not WORDS.is_a(narrow, wide)


@pytest.mark.parametrize(
    ("code", "wide", "truth"),
    [
        ("C34.11", "lung cancer", True),
        ("C34.11", "non-small cell lung cancer", False),
        ("C34.11", "solid tumor", True),
        ("E11.22", "type 2 diabetes mellitus", True),
        ("E10.9", "type 2 diabetes mellitus", False),
        ("I21.4", "myocardial infarction", True),
        ("I25.2", "cardiovascular disease", True),
        ("B18.1", "hepatitis B", True),
        ("Z22.51", "hepatitis B", True),
        ("B18.2", "hepatitis B", False),
        ("C79.31", "brain metastasis", True),
        ("C79.51", "brain metastasis", False),
        ("M05.79", "rheumatoid arthritis", True),
        ("J44.1", "chronic obstructive pulmonary disease", True),
        ("I10", "hypertension", True),
        ("O80", "pregnancy", True),
    ],
)
def test_a_bare_code_is_a(code: str, wide: str, truth: bool) -> None:
    assert WORDS.is_a(Concept("as the record has it", (Coding(ICD, code, ""),)), wide) is truth


def test_above_names_every_group() -> None:
    wide = WORDS.above("osimertinib")
    assert {"egfr tyrosine kinase inhibitor", "anticancer therapy", "targeted agent"} <= wide
    assert "solid tumor" in WORDS.above("lung cancer")
    assert not {"non-small cell lung cancer", "breast cancer"} & WORDS.above("lung cancer")
