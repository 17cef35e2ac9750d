/** Where HAProxy's packages have the configuration, and so where the engine has it. */
export const HAPROXY_CONFIG = '/etc/haproxy/haproxy.cfg';
