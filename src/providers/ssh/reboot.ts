/**
 * What tells one run of a system from the next: the kernel's own id, and when its first process started (a container
 * has the kernel of its host). Empty while it is still starting or going down.
 */
export const BOOT_ID = `
case $(systemctl is-system-running) in running|degraded) ;; *) exit 0 ;; esac
echo "boot $(cat /proc/sys/kernel/random/boot_id) $(sed 's/.*) //' /proc/1/stat | cut -d' ' -f20)"`;

/** @throws Error while there is none. */
export function readBootId(text: string): string {
  const id = /^boot (\S+ \d+)$/m.exec(text)?.[1];
  if (id === undefined) throw new Error('the system is not running yet');
  return id;
}
