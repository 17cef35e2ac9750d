/** All sample fetches, and the ACL keywords made of them. */
import type { FetchRow } from '../expressions.ts';
import { BODY_FETCHES } from './fetches/body.ts';
import { CONNECTION_FETCHES } from './fetches/connection.ts';
import { ACL_KEYWORDS, HTTP_FETCHES } from './fetches/http.ts';
import { PAYLOAD_FETCHES } from './fetches/payload.ts';
import { STATE_FETCHES } from './fetches/state.ts';

export { ACL_KEYWORDS, type AclKeywordRow } from './fetches/http.ts';

export const FETCHES: readonly FetchRow[] = [
  ...STATE_FETCHES,
  ...CONNECTION_FETCHES,
  ...PAYLOAD_FETCHES,
  ...HTTP_FETCHES,
  ...BODY_FETCHES,
];

export const FETCH_BY_NAME: ReadonlyMap<string, FetchRow> = new Map(FETCHES.map((row) => [row.keyword, row]));

export const ACL_KEYWORD_BY_NAME: ReadonlyMap<string, (typeof ACL_KEYWORDS)[number]> = new Map(
  ACL_KEYWORDS.map((row) => [row.keyword, row]),
);

/** ACLs that need no declaration (manual, section 7.4), as an `acl` line would say them. */
export const PREDEFINED_ACLS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    FALSE: 'always_false',
    HTTP: 'req.proto_http',
    'HTTP_1.0': 'req.ver 1.0',
    'HTTP_1.1': 'req.ver 1.1',
    'HTTP_2.0': 'req.ver 2.0',
    HTTP_CONTENT: 'req.hdr_val(content-length) gt 0',
    HTTP_URL_ABS: 'url_reg ^[^/:]*://',
    HTTP_URL_SLASH: 'url_beg /',
    HTTP_URL_STAR: 'url *',
    LOCALHOST: 'src 127.0.0.1/8 ::1',
    METH_CONNECT: 'method CONNECT',
    METH_DELETE: 'method DELETE',
    METH_GET: 'method GET HEAD',
    METH_HEAD: 'method HEAD',
    METH_OPTIONS: 'method OPTIONS',
    METH_POST: 'method POST',
    METH_PUT: 'method PUT',
    METH_TRACE: 'method TRACE',
    REQ_CONTENT: 'req.len gt 0',
    TRUE: 'always_true',
    WAIT_END: 'wait_end',
  }),
);

/** Fetches that HAProxy has and this engine has not. Names with a `*` at the end stand for all that begin so. */
export const UNSUPPORTED_FETCHES: readonly string[] = `
  accept_date bc_* base32 base32+src bc_dst bc_src cpu_calls cpu_ns_avg cpu_ns_tot cur_client_timeout
  cur_server_timeout cur_tunnel_timeout distcc_* fc_conn_err fc_err fc_err_str fc_fackets fc_lost fc_pp_authority
  fc_pp_tlv fc_pp_unique_id fc_rcvd_proxy fc_reordering fc_retrans fc_rtt fc_rttvar fc_sacked fc_settings_streams_limit
  fc_timer_* fc_unacked fix_* internal.* jwt_* lat_ns_avg lat_ns_tot last_entity last_rule_file last_rule_line lua.*
  mqtt_* pid prio_class prio_offset quic_enabled rdp_cookie rdp_cookie_cnt req.hdrs_bin
  req.rdp_cookie req.rdp_cookie_cnt req.timer.* req_rdp_cookie req_rdp_cookie_cnt request_date res.body res.body_*
  res.cache_hit res.cache_name res.comp res.comp_algo res.hdrs_bin res.timer.* sc0_* sc1_* sc2_* sc_* server_status
  src_* ssl_bc ssl_bc_* ssl_c_* ssl_f_* ssl_fc_* ssl_s_* stopping table_* term_events thread txn.* url32 url32+src
  waiting_entity
`
  .trim()
  .split(/\s+/);
