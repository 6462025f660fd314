/** Limit of the path of a Unix socket. */

/**
 * Longest path of a Unix socket in bytes: sun_path of struct sockaddr_un (108) without its final
 * zero; unix(7).
 */
export const SUN_PATH_MAX = 107;
