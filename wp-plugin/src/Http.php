<?php
/**
 * Requests from this site's own server to the media server.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Short answers, no redirects, and on a network no way into its machines for those who run one site of it. */
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
				return new \WP_Error( 'lianmai_unsafe', __( 'On this network only a super admin may use a server inside of it or at such a port.', 'lianmai' ) );
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

	/** Whoever runs a site of a network entered the address, and the network's machines are not theirs. */
	private static function is_guarded(): bool {
		return is_multisite() && ! Settings::server_is_fixed() && ! is_super_admin();
	}
}
