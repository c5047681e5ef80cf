<?php
/**
 * Requests from this site's own server to the media server.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Allows short answers only, no redirects, and on a network of sites no requests to the network's own machines. */
final class Http {
	private const LONGEST = 65536;

	/**
	 * Sends one request.
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
			// WordPress's own error text does not give the reason.
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
	 * Allows the ports of media servers, which differ from those of websites.
	 *
	 * @param int[] $ports that WordPress takes for safe.
	 * @return int[]
	 */
	public static function ports( array $ports ): array {
		return array_merge( $ports, Address::PORTS );
	}

	/**
	 * Returns whether to forbid requests to the network's machines: the administrator of one site of a network may enter any
	 * address. The rule is the same for a super admin, who may open that site's health page.
	 */
	private static function is_guarded(): bool {
		return is_multisite() && ! Settings::server_is_fixed();
	}
}
