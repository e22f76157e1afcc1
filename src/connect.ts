// `inmesh/connect`: clients of connect-es whose calls go through the mesh, with the Connect protocol and with gRPC-web.
export { type ConnectMesh, connectTransport, type ConnectTransportOptions } from './transport/connect/connect-transport.ts';
