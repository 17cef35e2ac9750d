import { createSocket } from 'node:dgram';

/** A syslog receiver of one case. */
export interface LogSink {
  readonly port: number;
  readonly lines: readonly string[];
  reset(): void;
  close(): void;
}

export async function startLogSink(): Promise<LogSink> {
  const lines: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (datagram) => lines.push(datagram.toString('latin1')));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: socket.address().port,
    lines,
    reset: () => {
      lines.length = 0;
    },
    close: () => socket.close(),
  };
}

/**
 * A log line without what no two runs share: date, tag and pid of the syslog header, the client's port, dates, times
 * that were not -1, the number of connections of the whole process, which other cases use too, and the length of pages
 * that the proxy wrote.
 */
export function comparableLine(line: string): string {
  return (
    line
      .replace(/^(<\d+>)\w{3} [ \d]\d \d\d:\d\d:\d\d (\S+ )?[\w-]+\[\d+\]: /, '$1')
      .replace(/127\.0\.0\.1:\d{4,5}\b/g, '127.0.0.1:PORT')
      .replace(/\[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]/g, '[DATE]')
      .replace(/(?<= )[-+\d]+(?:\/[-+\d]+){2,4}(?= (?:-1|\d+) )/, (times) =>
        times.replace(/(\+?)(?<!-)\b\d+/g, '$1T'),
      )
      .replace(/(?<= )\d+(?=\/\d+\/\d+\/\d+\/\+?\d+ \d+\/\d+)/, 'N')
      // A page of the proxy's own has a length of its own.
      // HAProxy counts bytes as it keeps them, we count those on the wire.
      .replace(/ ([1-5]\d\d) \d+ (\S+ \S+ \S{4} )/, ' $1 BYTES $2')
      .trimEnd()
  );
}
