// Which service a host name means: names in full, names with a port, and `*.suffix`. The more exact one wins: host and
// port, host, then the longest suffix. Built once for a configuration; asked once for each origin.

export class HostTable<S> {
  readonly #exact: Map<string, S> = new Map();
  /** Longest first; the text after the star. */
  readonly #suffixes: { readonly suffix: string; readonly port: string; readonly service: S }[] = [];

  /** `host`, `host:port`, `*.suffix`, `*.suffix:port` or `*`. The first that claims a name keeps it. */
  add(name: string, service: S): void {
    if (!name.startsWith('*')) {
      if (!this.#exact.has(name)) this.#exact.set(name, service);
      return;
    }
    const colon = name.indexOf(':');
    const suffix = colon < 0 ? name.slice(1) : name.slice(1, colon);
    const port = colon < 0 ? '' : name.slice(colon + 1);
    this.#suffixes.push({ suffix, port, service });
    this.#suffixes.sort((a, b) => b.suffix.length - a.suffix.length || b.port.length - a.port.length);
  }

  /** `host` in lower case, without port and last dot. */
  find(host: string, port: string): S | null {
    const found = this.#exact.get(`${host}:${port}`) ?? this.#exact.get(host);
    if (found !== undefined) return found;
    for (const { suffix, port: wanted, service } of this.#suffixes) {
      // `*.a` is not `.a` itself: something stands in for the star.
      if (host.length > suffix.length && host.endsWith(suffix) && (wanted === '' || wanted === port)) return service;
    }
    return null;
  }
}
