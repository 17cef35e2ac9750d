// A syslog receiver that counts and throws away: a process of its own, so that its CPU is nobody's figure.
import { createSocket } from 'node:dgram';

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
let lines = 0;
socket.on('message', () => {
  lines += 1;
});
socket.bind(0, '127.0.0.1', () => console.log(`port ${socket.address().port}`));
const timer = setInterval(() => console.log(`lines ${lines}`), 100);
process.on('SIGTERM', () => {
  clearInterval(timer);
  socket.close();
});
