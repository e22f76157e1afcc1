// Which route of the application a request has met, as the framework says it: a text of the code, so a label that nobody from
// outside can make up.
import type { IncomingMessage } from 'node:http';

const TEMPLATE = Symbol('inmesh.route');

interface Told {
  [TEMPLATE]?: string;
}

/** What Express leaves on its request. */
interface ExpressRoute {
  readonly baseUrl?: unknown;
  readonly route?: { readonly path?: unknown };
}

/** For plugins of frameworks. */
export function setRouteTemplate(request: IncomingMessage, template: string): void {
  (request as Told)[TEMPLATE] = template;
}

/** '' when nobody has said. Complete when the answer is. */
export function routeTemplateOf(request: IncomingMessage): string {
  const told = (request as Told)[TEMPLATE];
  if (told !== undefined) return told;
  const { baseUrl, route } = request as ExpressRoute;
  const path = route?.path;
  if (typeof path !== 'string') return '';
  // A mounted router's own path stands in baseUrl as the request has it: only without parameters is it a template.
  return typeof baseUrl === 'string' && baseUrl !== '' ? '' : path;
}
