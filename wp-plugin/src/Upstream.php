<?php
/**
 * Requests to the server with the shared secret.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Sends requests, and describes errors in texts without the secret. */
final class Upstream {
	private const TIMEOUT = 10;

	/** Statuses of the server that the browser gets unchanged. Other errors become 502. */
	private const PASSED_ON = array( 400, 404, 409, 415, 429, 503 );

	/**
	 * Sends one request.
	 *
	 * @return array{status: int, body: string, location: string}|\WP_Error
	 */
	public static function send( string $method, string $url, string $sdp ) {
		$headers = 'POST' === $method ? array( 'Content-Type' => 'application/sdp' ) : array();
		$answer  = Http::send( $method, $url, self::TIMEOUT, $headers, $sdp );
		if ( is_wp_error( $answer ) ) {
			// The error text of the transport may contain the address with the secret.
			return new \WP_Error( 'lianmai_server', __( 'The media server cannot be reached from this site.', 'lianmai' ), array( 'status' => 502 ) );
		}
		$location = wp_remote_retrieve_header( $answer, 'location' );
		return array(
			'status'   => (int) wp_remote_retrieve_response_code( $answer ),
			'body'     => (string) wp_remote_retrieve_body( $answer ),
			'location' => is_string( $location ) ? $location : '',
		);
	}

	/**
	 * Returns the error for an answer without SDP.
	 *
	 * @param array{status: int, body: string, location: string} $answer
	 */
	public static function refused( array $answer ): \WP_Error {
		$body = $answer['body'];
		$json = json_decode( $body, true );
		// The text of a problem (RFC 9457) or of an API error.
		foreach ( array( 'detail', 'message' ) as $field ) {
			$body = is_array( $json ) && isset( $json[ $field ] ) && is_string( $json[ $field ] ) ? $json[ $field ] : $body;
		}
		$said = substr( trim( (string) preg_replace( '/\s+/', ' ', wp_strip_all_tags( self::without_secret( $body ) ) ) ), 0, 200 );
		$said = wp_check_invalid_utf8( $said, true );
		if ( '' === $said ) {
			/* translators: %d: an HTTP status. */
			$sentence = sprintf( __( 'The media server refused: %d.', 'lianmai' ), $answer['status'] );
		} else {
			/* translators: 1: an HTTP status, 2: what the server said. */
			$sentence = sprintf( __( 'The media server refused: %1$d, “%2$s”.', 'lianmai' ), $answer['status'], $said );
		}
		$status = in_array( $answer['status'], self::PASSED_ON, true ) ? $answer['status'] : 502;
		return new \WP_Error( 'lianmai_server', $sentence, array( 'status' => $status ) );
	}

	/** A Location as an address of the same server; '' when there is none, or it is another's. */
	public static function absolute( string $location, string $base ): string {
		if ( '' === $location ) {
			return '';
		}
		$url = (string) \WP_Http::make_absolute_url( $location, $base );
		return '' !== Address::origin( $url ) && Address::origin( $url ) === Address::origin( $base ) ? $url : '';
	}

	private static function without_secret( string $text ): string {
		$secret = Settings::secret();
		return '' === $secret ? $text : str_replace( array( $secret, rawurlencode( $secret ), urlencode( $secret ), esc_html( $secret ), trim( (string) wp_json_encode( $secret ), '"' ) ), '…', $text );
	}
}
