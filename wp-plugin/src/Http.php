<?php
/**
 * Requests from this site's own server to the media server.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Short answers, no redirects, and on a network of sites no way into the network's own machines. */
final class Http {
	private const LONGEST = 65536;

	/**
	 * One request.
	 *
	 * @param array<string, string> $headers
	 * @return array<string, mixed>|\WP_Error
	 */
	public static function send( string $method, string $url, int $timeout, array $headers = array(), string $body = '' ) {
		$guarded = self::is_guarded();
		if ( $guarded ) {
			add_filter( 'http_allowed_safe_ports', array( self::class, 'ports' ) );
		}
		try {
			// WordPress's own sentence for it does not say why.
			if ( $guarded && ! wp_http_validate_url( $url ) ) {
				return new \WP_Error( 'lianmai_unsafe', __( 'On a network of sites WordPress asks a server outside of the network only, at port 80, 443, 1985, 8080 or 8443. For another one, set LIANMAI_SERVER in wp-config.php.', 'lianmai' ) );
			}
			return wp_remote_request(
				$url,
				array(
					'method'              => $method,
					'timeout'             => $timeout,
					'redirection'         => 0,
					'limit_response_size' => self::LONGEST,
					'reject_unsafe_urls'  => $guarded,
					'headers'             => $headers,
					'body'                => '' === $body ? null : $body,
				)
			);
		} finally {
			if ( $guarded ) {
				remove_filter( 'http_allowed_safe_ports', array( self::class, 'ports' ) );
			}
		}
	}

	/**
	 * Media servers listen at other ports than websites.
	 *
	 * @param int[] $ports that WordPress takes for safe.
	 * @return int[]
	 */
	public static function ports( array $ports ): array {
		return array_merge( $ports, Address::PORTS );
	}

	/**
	 * Whoever runs one site of a network may enter an address, and the network's machines are not theirs. A super admin who
	 * only looks at that site's health must not be the one who reaches them: who looks makes no difference.
	 */
	private static function is_guarded(): bool {
		return is_multisite() && ! Settings::server_is_fixed();
	}
}
