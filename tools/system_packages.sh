#!/bin/sh
# Installs what pip cannot: Tesseract with English and simplified Chinese, and for the tests a Chromium and CJK fonts.
# Only where the system lacks it and the user may; otherwise it says what fhirbridge uses instead. Never fails.
what=${1:-demo}

has_tesseract() {
    command -v tesseract >/dev/null 2>&1 && tesseract --list-langs 2>/dev/null | grep -qx chi_sim
}

wanted=""
has_tesseract || wanted="tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim"
if [ "$what" = test ]; then
    command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium"
fi
[ -n "$wanted" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing $wanted"
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1 && exit 0
elif command -v brew >/dev/null 2>&1 && ! has_tesseract; then
    echo "installing tesseract and its languages with Homebrew"
    brew install --quiet tesseract tesseract-lang && exit 0
fi
has_tesseract || echo "Tesseract with eng and chi_sim is not here and cannot be installed by this user: the bundled engine (rapidocr) reads the photos"
exit 0
