<?php
/**
 * REST routes for pages and gateways.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Routes for tokens: the public keys, the rights of a person, and the token itself. */
final class Rest {
	public const SPACE = 'lianmai/v1';

	/** Maximum number of tokens per person and minute, to publish and for rooms each. It stops pages that ask in a loop. */
	private const A_MINUTE = 60;

	/** The AJAX action that returns a nonce. The action of WordPress answers visitors with an error. */
	public const NONCE = 'lianmai-rest-nonce';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'wp_ajax_' . self::NONCE, array( self::class, 'nonce' ) );
		add_action( 'wp_ajax_nopriv_' . self::NONCE, array( self::class, 'nonce' ) );
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
		add_filter( 'rest_post_dispatch', array( self::class, 'cache_headers' ), 10, 3 );
	}

	/** Returns a nonce for the REST API; empty for visitors. It is not a REST route, because pages of other sites may read those. */
	public static function nonce(): void {
		exit( is_user_logged_in() ? esc_html( wp_create_nonce( 'wp_rest' ) ) : '' );
	}

	/** Registers the routes with their parameters. */
	public static function routes(): void {
		$ticket = array(
			'ticket' => array(
				'description' => __( 'The ticket in the page.', 'lianmai' ),
				'type'        => 'string',
				'required'    => true,
				'minLength'   => 1,
				'maxLength'   => 4096,
			),
		);
		register_rest_route(
			self::SPACE,
			'/jwks',
			array(
				'methods'             => 'GET',
				'callback'            => array( Key::class, 'set' ),
				'permission_callback' => '__return_true',
			)
		);
		register_rest_route(
			self::SPACE,
			'/may',
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'may' ),
				'permission_callback' => '__return_true',
				'args'                => $ticket,
			)
		);
		register_rest_route(
			self::SPACE,
			'/token',
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'token' ),
				'permission_callback' => array( self::class, 'may_have_token' ),
				'args'                => $ticket,
			)
		);
	}

	/**
	 * Returns whether the person may publish or play, with the stream, or with the room, role and name. A refusal is not an
	 * error here; `code` has its reason.
	 *
	 * @return array<string, bool|string>
	 */
	public static function may( \WP_REST_Request $request ): array {
		$refusal = self::refusal( $request );
		if ( null === $refusal ) {
			$bound = Ticket::read( self::ticket( $request ) );
			$may   = array(
				'may'    => true,
				'stream' => $bound['stream'] ?? '',
			);
			if ( null === $bound || ! in_array( $bound['action'], array( 'room', 'chat' ), true ) ) {
				return $may;
			}
			$nonce = self::nonce_of( $request );
			$user  = Rights::person( $nonce );
			return $may + array(
				'role' => Rights::room_role( $bound, $nonce ),
				'name' => null === $user ? '' : Room::name_of( $user ),
			);
		}
		return array(
			'may'     => false,
			'code'    => (string) $refusal->get_error_code(),
			'message' => $refusal->get_error_message(),
		);
	}

	/**
	 * @return true|\WP_Error
	 */
	public static function may_have_token( \WP_REST_Request $request ) {
		$refusal = self::refusal( $request );
		return null === $refusal ? true : $refusal;
	}

	/**
	 * @return array<string, string>|\WP_Error
	 */
	public static function token( \WP_REST_Request $request ) {
		$bound = Ticket::read( self::ticket( $request ) );
		if ( null === $bound || 'show' === $bound['action'] ) {
			return new \WP_Error( 'lianmai_ticket', __( 'The page is out of date. Reload it and try again.', 'lianmai' ), array( 'status' => 400 ) );
		}
		$user = get_current_user_id();
		$room = in_array( $bound['action'], array( 'room', 'chat' ), true );
		// All visitors share one counter.
		if ( 'play' !== $bound['action'] && $user > 0 && self::is_too_many( $room ? 'room' : 'publish', $user, self::A_MINUTE ) ) {
			return new \WP_Error( 'lianmai_many', __( 'Too many attempts. Try again in a minute.', 'lianmai' ), array( 'status' => 429 ) );
		}
		if ( $room ) {
			$nonce = self::nonce_of( $request );
			return array( 'token' => Token::mint_for_room( null === Rights::person( $nonce ) ? 0 : $user, $bound['stream'], Rights::room_role( $bound, $nonce ) ) );
		}
		return array( 'token' => Token::mint( $user, $bound['stream'], $bound['action'] ) );
	}

	/**
	 * Sets cache headers: tokens must not be stored; the public keys may be stored for a minute.
	 *
	 * @param mixed $response What will be sent.
	 * @return mixed
	 */
	public static function cache_headers( $response, \WP_REST_Server $server, \WP_REST_Request $request ) {
		if ( $response instanceof \WP_HTTP_Response && 0 === strpos( $request->get_route(), '/' . self::SPACE . '/' ) ) {
			$keys = '/' . self::SPACE . '/jwks' === $request->get_route();
			$cache = array( 'Cache-Control' => $keys ? 'public, max-age=60' : 'no-store' );
			$response->header( 'Cache-Control', $cache['Cache-Control'] );
			// For logged-in people, WordPress sends its own headers after these.
			add_filter(
				'nocache_headers',
				static function ( array $headers ) use ( $cache ): array {
					return $cache + $headers;
				}
			);
			if ( 429 === $response->get_status() ) {
				$response->header( 'Retry-After', (string) MINUTE_IN_SECONDS );
			}
		}
		return $response;
	}

	private static function refusal( \WP_REST_Request $request ): ?\WP_Error {
		return Rights::refusal( self::ticket( $request ), self::nonce_of( $request ) );
	}

	private static function nonce_of( \WP_REST_Request $request ): string {
		return (string) $request->get_header( 'X-WP-Nonce' );
	}

	/** Checks the permission of invalid requests too, as WordPress does. */
	private static function ticket( \WP_REST_Request $request ): string {
		return is_string( $request['ticket'] ) ? $request['ticket'] : '';
	}

	/**
	 * Counts a request. Returns whether the person has made too many.
	 *
	 * @param string $what is asked for.
	 * @param int    $user who asks.
	 * @param int    $most times in a minute.
	 */
	public static function is_too_many( string $what, int $user, int $most ): bool {
		$name  = 'lianmai_rate_' . $what . '_' . $user . '_' . (int) floor( time() / MINUTE_IN_SECONDS );
		$count = (int) get_transient( $name );
		if ( $count >= $most ) {
			return true;
		}
		set_transient( $name, $count + 1, 2 * MINUTE_IN_SECONDS );
		return false;
	}
}
