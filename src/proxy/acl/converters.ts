/** All converters. */
import type { ConverterRow } from '../expressions.ts';
import { ENCODING_CONVERTERS } from './converters/encoding.ts';
import { MAP_CONVERTERS } from './converters/map.ts';
import { NUMBER_CONVERTERS } from './converters/numbers.ts';
import { TEXT_CONVERTERS } from './converters/text.ts';
import { TIME_CONVERTERS } from './converters/time.ts';

export const CONVERTERS: readonly ConverterRow[] = [
  ...NUMBER_CONVERTERS,
  ...TEXT_CONVERTERS,
  ...ENCODING_CONVERTERS,
  ...TIME_CONVERTERS,
  ...MAP_CONVERTERS,
];

export const CONVERTER_BY_NAME: ReadonlyMap<string, ConverterRow> = new Map(
  CONVERTERS.map((row) => [row.keyword, row]),
);

/** Converters that HAProxy has and this engine has not. */
export const UNSUPPORTED_CONVERTERS: readonly string[] = `
  51d.single aes_cbc_dec aes_cbc_enc aes_gcm_dec aes_gcm_enc base2 be2dec be2hex capture-req capture-res crc32c debug
  fix_is_valid fix_tag_value htonl in_table jwt_decrypt_* jwt_header_query jwt_payload_query jwt_verify jwt_verify_cert
  le2dec ltime_ms lua.* mqtt_field_value mqtt_is_valid ms_ltime ms_utime nbsrv param protobuf reverse_dom
  rfc7239_* secure_memcmp srv_queue table_* ungrpc us_ltime us_utime when x509_v_err_str xxh3 xxh32 xxh64
`
  .trim()
  .split(/\s+/);
