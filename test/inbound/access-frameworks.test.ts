// The raw targets by which a caller could reach /admin past a policy, at real servers of real frameworks: what the framework takes
// for /admin without a policy must be stopped by a DENY of it, and by an ALLOW of everything but it.
import { createRequire } from 'node:module';
import { getRequestListener } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { Listener } from '../../src/inbound/handler.ts';
import type { AuthorizationPolicy } from '../../src/model/security.ts';
import { allow, deny } from '../access/cases.ts';
import { guarded, rawAsk } from './access-server.ts';

interface Written {
  end(text: string): void;
}

/** These two have no types of their own. */
const load = createRequire(import.meta.url);
const express = load('express') as () => Listener & { get(path: string, handler: (request: unknown, response: Written) => void): void };
const Koa = load('koa') as new () => { use(handler: (context: { path: string; body: string }) => void): void; callback(): Listener };

const ADMIN = 'secret of the admin';

const TARGETS = [
  '/admin',
  '/admin#f',
  '/admin?x',
  '/admin?x#y',
  'http://evil/admin',
  'HTTP://u:p@h/admin',
  '/ADMIN',
  '/Admin/',
  '/admin/',
  '//admin',
  '/admin//',
  '///admin///',
  '/%61dmin',
  '/%41DMIN',
  '/./admin',
  '/x/../admin',
  '/x/%2e%2e/admin',
  '/x/%2E%2e/%61dmin',
  '/public/..%2fadmin',
  '/public/%2e%2e%2fadmin',
  '/x\\..\\admin',
  '/x/..\\admin',
  '\\admin',
  '//evil/admin',
  '///evil/admin',
  '/\\evil/admin',
  '/%2fadmin',
  '/..;/admin',
  '/;/admin',
  '/admin;a=b',
  '/admin%3Bx',
  '/admin%3F',
  '/admin%23',
  '/admin%00',
  '/admin%20',
  '/%252e%252e/admin',
  '/admin/.',
  '/admin/x/..',
  '/public/../admin?/public/',
  'http://h/public/../admin',
] as const;

/** Which of the targets must hit without a policy, so that the test is known to test something. */
interface Framework {
  readonly name: string;
  readonly hits: readonly string[];
  readonly listener: () => Listener | Promise<Listener>;
}

function withFastify(lax: boolean): () => Promise<Listener> {
  return async () => {
    const app = lax
      ? fastify({
          routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
        })
      : fastify();
    app.get('/admin', () => ADMIN);
    await app.ready();
    return (request, response) => app.routing(request, response);
  };
}

const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'express',
    hits: ['/admin', '/admin#f', '/admin?x', 'http://evil/admin', '/ADMIN', '/admin/'],
    listener: () => {
      const app = express();
      app.get('/admin', (_request, response) => response.end(ADMIN));
      return app;
    },
  },
  { name: 'fastify', hits: ['/admin', '/admin#f', '/%61dmin', 'http://evil/admin'], listener: withFastify(false) },
  { name: 'fastify, lax', hits: ['/ADMIN', '/admin/', '//admin', '/admin//', '/%61dmin'], listener: withFastify(true) },
  {
    name: 'hono',
    hits: ['/admin', '/%61dmin', '/./admin', '/x/../admin', '/x/%2e%2e/admin'],
    listener: () => {
      const app = new Hono();
      app.get('/admin', (context) => context.text(ADMIN));
      return getRequestListener(app.fetch) as unknown as Listener;
    },
  },
  {
    name: 'koa',
    hits: ['/admin', '/admin?x', 'http://evil/admin'],
    listener: () => {
      const app = new Koa();
      app.use((context) => {
        context.body = context.path === '/admin' ? ADMIN : 'public';
      });
      return app.callback();
    },
  },
  {
    name: 'koa with a router that is not strict',
    hits: ['/ADMIN', '/admin/'],
    listener: () => {
      const app = new Koa();
      app.use((context) => {
        context.body = /^\/admin\/?$/i.test(context.path) ? ADMIN : 'public';
      });
      return app.callback();
    },
  },
  {
    name: 'node:http with new URL',
    hits: ['/admin', '/x\\..\\admin', '//evil/admin', '///evil/admin', '/x/%2e%2e/admin', '/\\evil/admin'],
    listener: () => (request, response) => {
      const url = URL.canParse(request.url ?? '', 'http://reviews') ? new URL(request.url ?? '', 'http://reviews') : null;
      response.end(url?.pathname === '/admin' ? ADMIN : 'public');
    },
  },
  {
    name: 'node:http that decodes',
    hits: ['/admin', '/%61dmin'],
    listener: () => (request, response) => {
      let path = (request.url ?? '').split(/[?#]/)[0] as string;
      try {
        path = decodeURIComponent(path);
      } catch {}
      response.end(path === '/admin' ? ADMIN : 'public');
    },
  },
];

const POLICIES: readonly (readonly [name: string, policies: readonly AuthorizationPolicy[]])[] = [
  ['DENY /admin', [deny({ paths: ['/admin'] })]],
  ['DENY /Admin, in capitals', [deny({ paths: ['/Admin'] })]],
  ['DENY a template', [deny({ paths: ['/{*}'], notPaths: ['/public'] })]],
  ['ALLOW but /admin', [allow({ notPaths: ['/admin'] })]],
  ['ALLOW /public*', [allow({ paths: ['/public*', '/x*', '/{*}/public'] })]],
];

describe.each(FRAMEWORKS)('$name', ({ hits, listener }) => {
  it('takes for /admin what it is known to take', async () => {
    const server = await guarded(await listener(), null);
    const hit: string[] = [];
    for (const target of TARGETS) if ((await rawAsk(server.port, target)).body.includes(ADMIN)) hit.push(target);
    await server.close();
    expect(hit).toEqual(expect.arrayContaining([...hits]));
  });

  it.each(POLICIES)('%s: no target gets by', async (_name, policies) => {
    const server = await guarded(await listener(), policies);
    const got: string[] = [];
    for (const target of TARGETS) if ((await rawAsk(server.port, target)).body.includes(ADMIN)) got.push(target);
    await server.close();
    expect(got).toEqual([]);
  });

  it('ALLOW /admin lets in what it says', async () => {
    const server = await guarded(await listener(), [allow({ paths: ['/admin'] })]);
    const { body, status } = await rawAsk(server.port, '/admin');
    await server.close();
    expect({ body: body.includes(ADMIN), status }).toEqual({ body: true, status: 200 });
  });
});
