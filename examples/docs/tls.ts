// Certificates are read when the configuration is: what is wrong with them is known before the first call.
import { createClient, mtls } from 'inmesh';

// #region mtls
const payments = createClient('https://payments.internal:8443', {
  policies: [mtls({ cert: 'certs/tls.crt', key: 'certs/tls.key', ca: 'certs/ca.crt' })],
});
// #endregion
await payments.fetch('/').catch((error) => console.log(error.message));
