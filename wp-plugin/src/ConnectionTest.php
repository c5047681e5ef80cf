<?php
/**
 * "Test connection": publishes a test video and plays it.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The button of the settings page, its script, and the routes of the script. Administrators only. */
final class ConnectionTest {
	private const NAME = 'lianmai-test';

	/** Handle of the script that sends the browser's requests. */
	public const REACH = 'lianmai-reach';

	/** Prefix of the names of test streams: the gateway may trust this site for streams below its prefix only. */
	public static function app(): string {
		return ltrim( Settings::prefix() . '/' . self::NAME, '/' );
	}

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
	}

	/** Registers the routes for the script. */
	public static function routes(): void {
		register_rest_route(
			Rest::SPACE,
			'/test/server',
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'server' ),
				'permission_callback' => array( self::class, 'may' ),
			)
		);
		register_rest_route(
			Rest::SPACE,
			'/test/token',
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'token' ),
				'permission_callback' => array( self::class, 'may' ),
				'args'                => array(
					'stream' => array(
						'type'              => 'string',
						'validate_callback' => static function ( $stream ): bool {
							return is_string( $stream ) && 1 === preg_match( '~^' . preg_quote( self::app(), '~' ) . '/[0-9a-f]{16}$~D', $stream );
						},
						'required'          => true,
					),
					'act'    => array(
						'type'     => 'string',
						'enum'     => array( 'publish', 'play' ),
						'required' => true,
					),
				),
			)
		);
	}

	/** Allows people who may change the settings. */
	public static function may(): bool {
		return current_user_can( 'manage_options' );
	}

	/**
	 * Step one: tests the connection from this site's server.
	 *
	 * @return array{ok: bool, sentence: string, advice: string}
	 */
	public static function server(): array {
		if ( 'other' === Settings::kind() ) {
			return array(
				'ok'       => true,
				'sentence' => __( 'This site needs nothing from a server of this kind.', 'lianmai' ),
				'advice'   => '',
			);
		}
		$server = Gateway::ask();
		if ( is_wp_error( $server ) ) {
			return array(
				'ok'       => false,
				'sentence' => $server->get_error_message(),
				'advice'   => false !== stripos( $server->get_error_message(), 'certificate' )
					? __( 'The server’s certificate is one that nobody trusts, as the gateway’s own is. Browsers refuse it as well: give the gateway a trusted one (--acme, or --cert and --key).', 'lianmai' )
					: __( 'Check that the server runs, that its address and port are right, and that no firewall is between it and this site.', 'lianmai' ),
			);
		}
		$advice = '';
		if ( null !== $server['ahead'] && abs( $server['ahead'] ) > Gateway::SKEW ) {
			/* translators: %d: seconds. */
			$advice = sprintf( __( 'Its clock differs from this site’s by %d s; tokens are good for a minute, so set both by NTP.', 'lianmai' ), abs( $server['ahead'] ) );
		}
		return array(
			'ok'       => true,
			/* translators: %s: a version. */
			'sentence' => sprintf( __( 'The server answers; its version is %s.', 'lianmai' ), $server['version'] ),
			'advice'   => $advice,
		);
	}

	/**
	 * Returns a token for the test stream.
	 *
	 * @return array{token: string}
	 */
	public static function token( \WP_REST_Request $request ): array {
		return array( 'token' => Token::mint( get_current_user_id(), (string) $request['stream'], (string) $request['act'] ) );
	}

	/** Loads the script on the settings page only. */
	public static function enqueue(): void {
		self::enqueue_reach();
		wp_enqueue_script( 'lianmai-connection-test', plugins_url( 'assets/connection-test.js', FILE ), array( self::REACH ), VERSION, true );
		wp_add_inline_script(
			'lianmai-connection-test',
			'window.lianmaiTest = ' . wp_json_encode( self::config(), JSON_HEX_TAG | JSON_HEX_AMP ) . ';',
			'before'
		);
	}

	/** Loads the script that sends requests from the browser to the server, with its texts. */
	public static function enqueue_reach(): void {
		wp_enqueue_script( self::REACH, plugins_url( 'assets/reach.js', FILE ), array(), VERSION, true );
		$words = array(
			'fetch' => __( 'The browser got no answer from %s.', 'lianmai' ),
			'reach' => __( 'Check that browsers reach this address, that its certificate is valid, and that nothing in front of the server takes the CORS headers away.', 'lianmai' ),
			'mixed' => __( 'This page is HTTPS and the server’s address is not: browsers refuse that. Enter the server’s HTTPS address.', 'lianmai' ),
		);
		wp_add_inline_script( self::REACH, 'window.lianmaiReach = { words: ' . wp_json_encode( $words, JSON_HEX_TAG | JSON_HEX_AMP ) . ' };', 'before' );
	}

	/**
	 * Returns the addresses that a browser must reach: rows of a list whose state the script fills in.
	 *
	 * @return array<int, array{state: string, label: string, advice: string, reach: string, mode: string}>
	 */
	public static function reaches(): array {
		$rows = array();
		foreach ( array_unique( array_filter( array( Settings::server(), Settings::api() ) ) ) as $base ) {
			$gateway = 'lianmai' === Settings::kind();
			$rows[]  = array(
				'state'  => 'running',
				/* translators: %s: an address. */
				'label'  => sprintf( __( 'This browser reaches %s', 'lianmai' ), $base ),
				'advice' => '',
				// Every gateway has this file, with the CORS headers of streams. For other servers, test only whether they answer.
				'reach'  => $base . ( $gateway ? '/srs-player.js' : '/' ),
				'mode'   => $gateway ? 'cors' : 'no-cors',
			);
		}
		return $rows;
	}

	/** Prints the button and the container for its results. */
	public static function show(): void {
		echo '<h2>' . esc_html__( 'Test connection', 'lianmai' ) . '</h2><p>'
			. esc_html__( 'Publishes a small picture from this browser to the saved server and plays it back, as your readers will.', 'lianmai' )
			. '</p><p><button type="button" class="button" id="lianmai-test"' . disabled( Settings::server(), '', false ) . '>'
			. esc_html__( 'Test connection', 'lianmai' ) . '</button></p>'
			. '<ol id="lianmai-test-steps" aria-live="polite"></ol>'
			. '<div hidden><video id="lianmai-test-picture" width="240" height="180" muted playsinline></video></div>';
	}

	/** @return array<string, mixed> */
	private static function config(): array {
		$secret = 'secret' === Settings::kind();
		return array(
			'app'    => self::app(),
			'rest'   => rest_url( Rest::SPACE . '/' ),
			'nonce'  => wp_create_nonce( 'wp_rest' ),
			// The script replaces NAME by the name of the test stream.
			'whip'   => $secret ? rest_url( Rest::SPACE . '/whip' ) : Settings::server() . '/' . self::app() . '/NAME/whip',
			'whep'   => $secret ? Settings::api() . '/rtc/v1/whep/?app=' . self::app() . '&stream=NAME' : Settings::server() . '/' . self::app() . '/NAME/whep',
			// Whether tokens go to the server, to the relay only, or nowhere.
			'secret' => $secret,
			'tokens' => 'other' !== Settings::kind(),
			'words'  => array(
				'server'  => __( 'This site asks the server', 'lianmai' ),
				'publish' => __( 'This browser offers a picture (WHIP)', 'lianmai' ),
				'connect' => __( 'The picture’s way to the server (ICE)', 'lianmai' ),
				'play'    => __( 'The picture comes back (WHEP)', 'lianmai' ),
				'end'     => __( 'Both are ended', 'lianmai' ),
				'ok'      => __( 'OK', 'lianmai' ),
				'failed'  => __( 'Failed', 'lianmai' ),
				'running' => __( 'running…', 'lianmai' ),
				'done'    => __( 'Everything works: pages can publish and play.', 'lianmai' ),
				'trust'   => __( 'The server does not trust this site’s tokens. Start it with the line below, and check its clock.', 'lianmai' ),
				'webrtc'  => __( 'This browser has no WebRTC.', 'lianmai' ),
				'ice'     => __( 'Nothing came through. Open the server’s WebRTC port for UDP and TCP (8000 unless set), and tell it its public address with --candidate.', 'lianmai' ),
				'picture' => __( 'No picture came back within 20 seconds.', 'lianmai' ),
			),
		);
	}
}
