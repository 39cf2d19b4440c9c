import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conformance } from './conformance.ts';
import { KubernetesFleet } from './kubernetes.ts';

/**
 * Not a cluster: a server in this test that answers in the shapes of the published API (`autoscaling/v1 Scale`,
 * `v1 PodList`, `v1 Status`) and keeps as many pods as a Deployment's scale says. What only a real cluster shows
 * (certificates, RBAC, admission, slow starts) is not shown here.
 */
class Cluster {
  readonly replicas = new Map<string, { replicas: number; pods: string[] }>();
  readonly asked: { method: string; path: string; type: string | undefined; token: string | undefined }[] = [];
  #count = 0;

  reset(): void {
    this.replicas.clear();
    for (const name of ['w-one', 'w-two']) this.replicas.set(name, { replicas: 0, pods: [] });
    this.asked.length = 0;
  }

  answer(method: string, url: URL, body: string): { status: number; body: object } {
    const scale = /^\/apis\/apps\/v1\/namespaces\/batch\/deployments\/([\w-]+)\/scale$/.exec(url.pathname)?.[1];
    const deployment = scale === undefined ? undefined : this.replicas.get(scale);
    if (scale !== undefined && deployment) {
      if (method === 'PATCH') {
        deployment.replicas = (JSON.parse(body) as { spec: { replicas: number } }).spec.replicas;
        this.#reconcile();
      }
      return {
        status: 200,
        body: {
          kind: 'Scale',
          apiVersion: 'autoscaling/v1',
          metadata: { name: scale, namespace: 'batch' },
          spec: deployment.replicas === 0 ? {} : { replicas: deployment.replicas },
          status: { replicas: deployment.pods.length, selector: `app=${scale}` },
        },
      };
    }
    if (method === 'GET' && url.pathname === '/api/v1/namespaces/batch/pods') {
      const app = url.searchParams.get('labelSelector')!.replace('app=', '');
      const items = this.replicas.get(app)!.pods.map((name) => ({
        metadata: { name },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      }));
      return { status: 200, body: { kind: 'PodList', apiVersion: 'v1', metadata: {}, items } };
    }
    const pod = /^\/api\/v1\/namespaces\/batch\/pods\/([\w-]+)$/.exec(url.pathname)?.[1];
    const owner = [...this.replicas.values()].find(({ pods }) => pods.includes(pod ?? ''));
    if (method === 'DELETE' && owner) {
      owner.pods.splice(owner.pods.indexOf(pod!), 1);
      this.#reconcile();
      return { status: 200, body: { kind: 'Pod', apiVersion: 'v1', metadata: { name: pod } } };
    }
    return {
      status: 404,
      body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `"${url.pathname}" not found`, reason: 'NotFound', code: 404 },
    };
  }

  #reconcile(): void {
    for (const [name, deployment] of this.replicas) {
      while (deployment.pods.length < deployment.replicas) deployment.pods.push(`${name}-${++this.#count}`);
      deployment.pods.length = deployment.replicas;
    }
  }
}

const cluster = new Cluster();
let folder = '';
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (part: Buffer) => (body += part.toString()));
  request.on('end', () => {
    const { method = '', headers } = request;
    cluster.asked.push({ method, path: request.url!, type: headers['content-type'], token: headers.authorization });
    const answer = cluster.answer(method, new URL(request.url!, 'http://cluster'), body);
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-kubernetes-'));
  await writeFile(join(folder, 'token'), 'first\n');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const open = async (): Promise<KubernetesFleet> => {
  cluster.reset();
  return new KubernetesFleet({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    namespace: 'batch',
    tokenFile: join(folder, 'token'),
    deployments: new Map([
      ['one', 'w-one'],
      ['two', 'w-two'],
    ]),
  });
};

conformance('Kubernetes, as a server in this test', {
  open,
  until: async (what, ask) => {
    if (!(await ask())) throw new Error(`not so: ${what}`);
  },
});

test('it sends a merge patch, only where something changes, with the token of now', async () => {
  const fleet = await open();
  await fleet.setTarget('one', 3);
  await writeFile(join(folder, 'token'), 'second\n');
  await fleet.setTarget('one', 3);
  const path = '/apis/apps/v1/namespaces/batch/deployments/w-one/scale';
  expect(cluster.asked).toEqual([
    { method: 'GET', path, type: undefined, token: 'Bearer first' },
    { method: 'PATCH', path, type: 'application/merge-patch+json', token: 'Bearer first' },
    { method: 'GET', path, type: undefined, token: 'Bearer second' },
  ]);
});

test('a refusal is told in the words of the cluster', async () => {
  const fleet = await open();
  cluster.replicas.delete('w-two');
  await expect(fleet.setTarget('two', 1)).rejects.toThrow(/404: .*w-two\/scale" not found/);
  await expect(fleet.setTarget('three', 1)).rejects.toThrow('pool three has no Deployment');
});
