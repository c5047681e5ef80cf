<?php
/**
 * The relay: publishes to a server with one shared secret.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * SRS and Oryx cannot check tokens. So the page sends its offer with a token to this route, which forwards it with the
 * secret. The page never sees the secret. Media does not pass through WordPress: the answer names the server.
 */
final class Relay {
	private const BASE        = '/whip';
	private const LONGEST_SDP = 65536;
	private const SESSION     = 'lianmai_whip_';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
		// Run after WordPress has sent its own headers.
		add_filter( 'rest_pre_serve_request', array( self::class, 'serve_sdp' ), 20, 3 );
	}

	/** Registers the methods of WHIP. The token is the permission for an offer, and the session id for its end. */
	public static function routes(): void {
		$routes = array(
			self::BASE                       => array( 'POST', 'offer' ),
			self::BASE . '/(?P<id>[0-9a-f]{32})' => array( 'DELETE', 'end' ),
		);
		foreach ( $routes as $route => list( $method, $callback ) ) {
			register_rest_route(
				Rest::SPACE,
				$route,
				array(
					array(
						'methods'             => $method,
						'callback'            => array( self::class, $callback ),
						'permission_callback' => '__return_true',
					),
					array(
						'methods'             => array_values( array_diff( array( 'GET', 'POST', 'PUT', 'PATCH', 'DELETE' ), array( $method ) ) ),
						'callback'            => static function () use ( $method ): \WP_REST_Response {
							return self::wrong_method( $method );
						},
						'permission_callback' => '__return_true',
					),
				)
			);
		}
	}

	/**
	 * Handles an offer: checks it, forwards it with the secret, and returns the answer.
	 *
	 * @return \WP_REST_Response|\WP_Error
	 */
	public static function offer( \WP_REST_Request $request ) {
		if ( 'secret' !== Settings::kind() || '' === Settings::api() || '' === Settings::secret() ) {
			return self::error( 'lianmai_relay', __( 'This site has no server with a shared secret to publish to.', 'lianmai' ), 404 );
		}
		$type = $request->get_content_type();
		if ( ! is_array( $type ) || 'application/sdp' !== $type['value'] ) {
			return self::error( 'lianmai_sdp', __( 'An offer is of the type application/sdp.', 'lianmai' ), 415 );
		}
		$sdp = (string) $request->get_body();
		if ( strlen( $sdp ) > self::LONGEST_SDP ) {
			return self::error( 'lianmai_sdp', __( 'The offer is too long.', 'lianmai' ), 413 );
		}
		if ( 0 !== strpos( $sdp, 'v=0' ) ) {
			return self::error( 'lianmai_sdp', __( 'The offer is no SDP.', 'lianmai' ), 400 );
		}
		$claims = Token::verify( self::bearer( $request ), 'publish' );
		if ( null === $claims || ! Token::spend( $claims ) ) {
			return self::error( 'lianmai_token', __( 'The token is missing, late, used already, or for something else. Ask for a new one.', 'lianmai' ), 401 );
		}
		$url    = self::address( (string) $claims['stream'] );
		$answer = Upstream::send( 'POST', $url, $sdp );
		if ( is_wp_error( $answer ) ) {
			return $answer;
		}
		if ( 0 !== strpos( $answer['body'], 'v=0' ) ) {
			return Upstream::refused( $answer );
		}
		$id = bin2hex( random_bytes( 16 ) );
		set_transient( self::SESSION . $id, Upstream::absolute( $answer['location'], $url ), DAY_IN_SECONDS );
		$response = new \WP_REST_Response( $answer['body'], 201 );
		$response->header( 'Content-Type', 'application/sdp' );
		$response->header( 'Location', rest_url( Rest::SPACE . self::BASE . '/' . $id ) );
		return $response;
	}

	/**
	 * Ends a session.
	 *
	 * @return \WP_REST_Response|\WP_Error
	 */
	public static function end( \WP_REST_Request $request ) {
		$name     = self::SESSION . (string) $request['id'];
		$location = get_transient( $name );
		if ( ! is_string( $location ) ) {
			return self::error( 'lianmai_session', __( 'There is no such session, or it has ended.', 'lianmai' ), 404 );
		}
		delete_transient( $name );
		// A server without a session address ends the session when the browser's connection closes.
		if ( '' !== $location ) {
			$answer = Upstream::send( 'DELETE', $location, '' );
			if ( is_wp_error( $answer ) ) {
				return $answer;
			}
			if ( $answer['status'] >= 300 && 404 !== $answer['status'] ) {
				return Upstream::refused( $answer );
			}
		}
		return new \WP_REST_Response( null, 200 );
	}

	/**
	 * Sends SDP unchanged: WordPress would encode it as JSON.
	 *
	 * @param mixed $served   Whether the response was sent already.
	 * @param mixed $response What will be sent.
	 * @return mixed
	 */
	public static function serve_sdp( $served, $response, \WP_REST_Request $request ) {
		if ( $served || ! $response instanceof \WP_HTTP_Response || '/' . Rest::SPACE . self::BASE !== $request->get_route() || ! is_string( $response->get_data() ) ) {
			return $served;
		}
		echo $response->get_data(); // phpcs:ignore WordPress.Security.EscapeOutput -- application/sdp, not HTML.
		return true;
	}

	private static function address( string $stream ): string {
		$cut   = (int) strrpos( $stream, '/' );
		$query = array(
			'app'    => substr( $stream, 0, $cut ),
			'stream' => substr( $stream, $cut + 1 ),
			'secret' => Settings::secret(),
		);
		return Settings::api() . '/rtc/v1/whip/?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 );
	}

	/** Returns the token from the header, which some web servers hide from PHP, or from the query. */
	private static function bearer( \WP_REST_Request $request ): string {
		$header = (string) $request->get_header( 'Authorization' );
		if ( '' === $header && isset( $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] ) ) {
			$header = sanitize_text_field( wp_unslash( $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] ) );
		}
		if ( '' === $header && function_exists( 'getallheaders' ) ) {
			$all    = array_change_key_case( (array) getallheaders(), CASE_LOWER );
			$header = isset( $all['authorization'] ) ? (string) $all['authorization'] : '';
		}
		if ( preg_match( '/^Bearer +([A-Za-z0-9_.-]+)$/iD', trim( $header ), $found ) ) {
			return $found[1];
		}
		$query = $request->get_query_params();
		return isset( $query['token'] ) && is_string( $query['token'] ) ? $query['token'] : '';
	}

	private static function wrong_method( string $right ): \WP_REST_Response {
		$response = new \WP_REST_Response(
			array(
				'code'    => 'lianmai_method',
				/* translators: %s: an HTTP method. */
				'message' => sprintf( __( 'Only %s works here. Candidates go with the offer, not after it.', 'lianmai' ), $right ),
				'data'    => array( 'status' => 405 ),
			),
			405
		);
		$response->header( 'Allow', $right );
		return $response;
	}

	private static function error( string $code, string $sentence, int $status ): \WP_Error {
		return new \WP_Error( $code, $sentence, array( 'status' => $status ) );
	}
}
