<?php
/**
 * Requests to the API of the media server.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Requests from this site's server. The connection test has the requests from the browser. */
final class Gateway {
	private const TIMEOUT = 5;

	/** Maximum difference of clocks in seconds, before tokens are too early or too late. */
	public const SKEW = 5;

	/**
	 * Returns the version of the server, the difference of its clock, and its port for RTMP: 0 for none, null if the server
	 * does not report it.
	 *
	 * @return array{version: string, ahead: int|null, rtmp: int|null}|\WP_Error
	 */
	public static function ask() {
		$base = Settings::api();
		if ( '' === $base ) {
			return new \WP_Error( 'lianmai_server', __( 'No server is set.', 'lianmai' ) );
		}
		$answer = self::request( 'GET', $base . '/api/v1/versions' );
		$now    = time();
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		$said   = json_decode( (string) wp_remote_retrieve_body( $answer ), true );
		if ( 200 !== $status || ! is_array( $said ) || ! isset( $said['data'] ) || ! is_array( $said['data'] ) ) {
			/* translators: %d: an HTTP status. */
			return new \WP_Error( 'lianmai_server', sprintf( __( 'What answers there (%d) is no media server’s API. Check the address and its port.', 'lianmai' ), $status ) );
		}
		$date = strtotime( (string) wp_remote_retrieve_header( $answer, 'date' ) );
		return array(
			'version' => isset( $said['data']['version'] ) && is_string( $said['data']['version'] ) ? substr( sanitize_text_field( $said['data']['version'] ), 0, 60 ) : '',
			'ahead'   => false === $date ? null : $date - $now,
			'rtmp'    => isset( $said['data']['rtmp_port'] ) && is_int( $said['data']['rtmp_port'] ) ? $said['data']['rtmp_port'] : null,
		);
	}

	/**
	 * Returns whether the gateway accepts this site's tokens, and only these: 'trusted', 'refused', 'open' or 'unknown'.
	 * The offers are invalid, so nothing is published: a gateway that accepts the token reports the invalid offer.
	 */
	public static function trust(): string {
		$stream = ConnectionTest::app() . '/' . bin2hex( random_bytes( 8 ) );
		$with   = self::knock( $stream, Token::mint( get_current_user_id(), $stream, 'publish' ) );
		if ( 401 === $with || 403 === $with ) {
			return 'refused';
		}
		if ( $with < 400 || $with >= 500 ) {
			return 'unknown';
		}
		$without = self::knock( $stream, '' );
		return 401 === $without || 403 === $without ? 'trusted' : 'open';
	}

	/**
	 * Returns whether a stream is live; null if the server does not report it.
	 *
	 * @param string $stream app/name.
	 */
	public static function live( string $stream ): ?bool {
		return 'secret' === Settings::kind() ? self::is_listed( $stream ) : self::has( $stream );
	}

	/**
	 * Returns the names of the open rooms; null if the server has no rooms.
	 *
	 * @return string[]|null
	 */
	public static function rooms(): ?array {
		$answer = self::request( 'GET', Settings::server() . '/api/v1/rooms' );
		$said   = is_wp_error( $answer ) ? null : json_decode( (string) wp_remote_retrieve_body( $answer ), true );
		if ( ! is_array( $said ) || ! isset( $said['rooms'] ) || ! is_array( $said['rooms'] ) ) {
			return null;
		}
		return array_values( array_filter( array_column( array_filter( $said['rooms'], 'is_array' ), 'name' ), 'is_string' ) );
	}

	/** Sends a HEAD request for a stream to a Lianmai gateway, which answers at once. */
	private static function has( string $stream ): ?bool {
		$headers = Settings::play_tokens() ? array( 'Authorization' => 'Bearer ' . Token::mint( get_current_user_id(), $stream, 'play' ) ) : array();
		$answer  = self::request( 'HEAD', Address::play( $stream, Settings::server(), 'flv', 'lianmai' ), $headers );
		$status  = is_wp_error( $answer ) ? 0 : (int) wp_remote_retrieve_response_code( $answer );
		return array(
			200 => true,
			404 => false,
		)[ $status ] ?? null;
	}

	/** Looks for a stream in the list of SRS or Oryx. */
	private static function is_listed( string $stream ): ?bool {
		$answer = self::request( 'GET', Settings::api() . '/api/v1/streams/?start=0&count=1000' );
		$said   = is_wp_error( $answer ) ? null : json_decode( (string) wp_remote_retrieve_body( $answer ), true );
		if ( ! is_array( $said ) || ! isset( $said['streams'] ) || ! is_array( $said['streams'] ) ) {
			return null;
		}
		foreach ( $said['streams'] as $one ) {
			if ( is_array( $one ) && ! empty( $one['publish']['active'] ) && ( $one['app'] ?? '' ) . '/' . ( $one['name'] ?? '' ) === $stream ) {
				return true;
			}
		}
		return false;
	}

	/** Returns the HTTP status for an invalid offer. */
	private static function knock( string $stream, string $token ): int {
		$headers = array( 'Content-Type' => 'application/sdp' );
		if ( '' !== $token ) {
			$headers['Authorization'] = 'Bearer ' . $token;
		}
		$answer = self::request( 'POST', Settings::server() . '/' . $stream . '/whip', $headers, 'no offer' );
		return is_wp_error( $answer ) ? 0 : (int) wp_remote_retrieve_response_code( $answer );
	}

	/**
	 * @param array<string, string> $headers
	 * @return array<string, mixed>|\WP_Error
	 */
	private static function request( string $method, string $url, array $headers = array(), string $body = '' ) {
		$answer = Http::send( $method, $url, self::TIMEOUT, $headers, $body );
		if ( ! is_wp_error( $answer ) ) {
			return $answer;
		}
		return new \WP_Error(
			'lianmai_server',
			/* translators: %s: why, in the web server's words. */
			sprintf( __( 'The server cannot be reached from this site: %s', 'lianmai' ), sanitize_text_field( $answer->get_error_message() ) )
		);
	}
}
