<?php
/**
 * What pages and gateways ask this site for.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The routes of tokens: the public keys, whether a person may, and the token itself. */
final class Rest {
	public const SPACE = 'lianmai/v1';

	/** So many tokens to publish, and as many for rooms, a person gets in a minute: a page that asks in a loop stops there. */
	private const A_MINUTE = 60;

	/** The AJAX action that gives the person at the browser a nonce: WordPress's own refuses strangers with an error. */
	public const NONCE = 'lianmai-rest-nonce';

	/** Hooks the routes in. */
	public static function register(): void {
		add_action( 'wp_ajax_' . self::NONCE, array( self::class, 'nonce' ) );
		add_action( 'wp_ajax_nopriv_' . self::NONCE, array( self::class, 'nonce' ) );
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
		add_filter( 'rest_post_dispatch', array( self::class, 'cache_headers' ), 10, 3 );
	}

	/** A nonce for the REST API; nothing for a stranger. Not a REST route: those may be read from other sites' pages. */
	public static function nonce(): void {
		exit( is_user_logged_in() ? esc_html( wp_create_nonce( 'wp_rest' ) ) : '' );
	}

	/** The routes and what they take. */
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
	 * Whether the person may, and with which stream, or in which room with which role and name; no refusal is an error
	 * here, and `code` says which it is.
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
		// Visitors have one number together.
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
	 * Tokens are for one person now and are kept nowhere; the public keys may be kept for a minute.
	 *
	 * @param mixed $response What will be sent.
	 * @return mixed
	 */
	public static function cache_headers( $response, \WP_REST_Server $server, \WP_REST_Request $request ) {
		if ( $response instanceof \WP_HTTP_Response && 0 === strpos( $request->get_route(), '/' . self::SPACE . '/' ) ) {
			$keys = '/' . self::SPACE . '/jwks' === $request->get_route();
			$cache = array( 'Cache-Control' => $keys ? 'public, max-age=60' : 'no-store' );
			$response->header( 'Cache-Control', $cache['Cache-Control'] );
			// To people who are logged in WordPress sends its own after ours.
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

	/** WordPress asks for the permission of requests that it refused for what is in them, too. */
	private static function ticket( \WP_REST_Request $request ): string {
		return is_string( $request['ticket'] ) ? $request['ticket'] : '';
	}

	/**
	 * Whether a person asks more often than they may; counts this time.
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
