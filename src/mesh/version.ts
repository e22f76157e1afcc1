// The version of this package, for telemetry scopes and --version. A test holds it equal to package.json.
export const VERSION = '0.1.0';
