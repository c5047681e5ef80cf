<?php
/**
 * Tests of live video for Tools → Site Health.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Tests with requests run after the page is loaded. */
final class SiteHealth {
	/** Names of the tests that send requests or search posts. */
	private const LATER = array( 'gateway', 'trust', 'files', 'rest', 'secrets' );

	/** Hooks into WordPress. */
	public static function register(): void {
		add_filter( 'site_status_tests', array( self::class, 'tests' ) );
		add_filter( 'debug_information', array( self::class, 'information' ) );
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
	}

	/**
	 * Adds the tests of the plugin to the list.
	 *
	 * @param array<string, array<string, mixed>> $tests
	 * @return array<string, array<string, mixed>>
	 */
	public static function tests( array $tests ): array {
		$tests['direct']['lianmai_https'] = array(
			'label' => __( 'Live video over HTTPS', 'lianmai' ),
			'test'  => array( self::class, 'https' ),
		);
		foreach ( self::LATER as $name ) {
			$tests['async'][ 'lianmai_' . $name ] = array(
				'label'             => __( 'Live video', 'lianmai' ),
				'test'              => rest_url( Rest::SPACE . '/health/' . $name ),
				'has_rest'          => true,
				'async_direct_test' => array( self::class, $name ),
			);
		}
		return $tests;
	}

	/** Registers the routes for the tests that run later. */
	public static function routes(): void {
		foreach ( self::LATER as $name ) {
			register_rest_route(
				Rest::SPACE,
				'/health/' . $name,
				array(
					'methods'             => 'GET',
					'callback'            => array( self::class, $name ),
					'permission_callback' => static function (): bool {
						return current_user_can( 'view_site_health_checks' );
					},
				)
			);
		}
	}

	/**
	 * Tests HTTPS: cameras need an HTTPS page, which needs an HTTPS server.
	 *
	 * @param string|null $server from which pages load, if it is not the server of the settings.
	 * @return array<string, mixed>
	 */
	public static function https( ?string $server = null ): array {
		$site   = wp_parse_url( home_url() );
		$server = $server ?? Settings::server();
		// Browsers allow cameras on their own machine without HTTPS.
		$local = isset( $site['host'] ) && in_array( $site['host'], array( 'localhost', '127.0.0.1', '[::1]' ), true );
		$https = isset( $site['scheme'] ) && 'https' === $site['scheme'];
		if ( ! $https && $local ) {
			return self::result( 'https', 'good', __( 'Cameras work without HTTPS on this machine', 'lianmai' ), __( 'Other people need HTTPS: browsers give them a camera on HTTPS pages only.', 'lianmai' ) );
		}
		if ( ! $https ) {
			return self::result( 'https', 'recommended', __( 'Nobody can publish from this site: it is not HTTPS', 'lianmai' ), __( 'Browsers give a camera to HTTPS pages only. Playing works.', 'lianmai' ) );
		}
		if ( 0 === strpos( $server, 'http:' ) ) {
			return self::result( 'https', 'critical', __( 'The media server’s address is not HTTPS, and this site is', 'lianmai' ), __( 'Browsers refuse to load from it. Enter the server’s HTTPS address under Settings → Lianmai.', 'lianmai' ) );
		}
		return self::result( 'https', 'good', __( 'Live video goes over HTTPS', 'lianmai' ), __( 'Cameras work, and browsers load from the media server.', 'lianmai' ) );
	}

	/** Tests whether the server answers, and its clock. @return array<string, mixed> */
	public static function gateway(): array {
		if ( '' === Settings::server() ) {
			return self::result( 'gateway', 'recommended', __( 'No media server is set', 'lianmai' ), __( 'Enter its address under Settings → Lianmai.', 'lianmai' ) );
		}
		if ( 'other' === Settings::kind() ) {
			return self::result( 'gateway', 'good', __( 'The media server is not asked', 'lianmai' ), __( 'This site needs nothing from a server of this kind. “Test connection” under Settings → Lianmai tries it from your browser.', 'lianmai' ) );
		}
		return self::answered( Gateway::ask() );
	}

	/**
	 * Converts the server's answer to a result.
	 *
	 * @param array{version: string, ahead: int|null}|\WP_Error $server from Gateway::ask().
	 * @return array<string, mixed>
	 */
	public static function answered( $server ): array {
		if ( is_wp_error( $server ) ) {
			$status = 'secret' === Settings::kind() ? 'critical' : 'recommended';
			return self::result( 'gateway', $status, __( 'This site cannot reach the media server', 'lianmai' ), $server->get_error_message() );
		}
		if ( null !== $server['ahead'] && abs( $server['ahead'] ) > Gateway::SKEW ) {
			return self::result(
				'gateway',
				'critical',
				__( 'The media server’s clock is not this site’s', 'lianmai' ),
				/* translators: %d: seconds. */
				sprintf( __( 'They differ by %d s. Tokens are good for a minute, so people may be refused. Set both clocks by NTP.', 'lianmai' ), abs( $server['ahead'] ) )
			);
		}
		/* translators: %s: a version. */
		return self::result( 'gateway', 'good', __( 'The media server answers', 'lianmai' ), sprintf( __( 'Its version is %s, and its clock is right.', 'lianmai' ), $server['version'] ) );
	}

	/** Tests whether the gateway trusts this site's key, and only trusted keys. @return array<string, mixed> */
	public static function trust(): array {
		if ( 'secret' === Settings::kind() ) {
			return '' === Settings::secret()
				? self::result( 'trust', 'critical', __( 'The media server’s secret is not set', 'lianmai' ), __( 'Nobody can publish. Enter it under Settings → Lianmai.', 'lianmai' ) )
				: self::result( 'trust', 'good', __( 'The media server’s secret is set', 'lianmai' ), __( 'This site adds it to publishers’ offers; pages do not hold it.', 'lianmai' ) );
		}
		if ( 'other' === Settings::kind() ) {
			return self::result( 'trust', 'recommended', __( 'Who may publish is up to the media server', 'lianmai' ), __( 'A server of this kind gets no token or secret from this site. Only those who may publish see the publisher here, and that is no protection of the server.', 'lianmai' ) );
		}
		$trust = '' === Settings::server() ? 'unknown' : Gateway::trust();
		if ( 'trusted' === $trust ) {
			return self::result( 'trust', 'good', __( 'The media server trusts this site’s key', 'lianmai' ), __( 'Who has the right may publish, and nobody else.', 'lianmai' ) );
		}
		if ( 'open' === $trust ) {
			return self::result( 'trust', 'critical', __( 'Anybody may publish to the media server', 'lianmai' ), __( 'It took an offer without a token. Start it with --auth-jwks, as Settings → Lianmai shows.', 'lianmai' ) );
		}
		if ( 'refused' === $trust ) {
			return self::result( 'trust', 'critical', __( 'The media server does not trust this site’s key', 'lianmai' ), __( 'It refused a token of this site. Start it with the line that Settings → Lianmai shows, and see that it can read the key’s address.', 'lianmai' ) );
		}
		return self::result( 'trust', 'recommended', __( 'Whether the media server trusts this site’s key is not known', 'lianmai' ), __( 'This site could not ask it. “Test connection” under Settings → Lianmai asks from your browser.', 'lianmai' ) );
	}

	/** Tests whether the web server sends the right MIME types for the plugin's files. With wrong types, the player starts slower. @return array<string, mixed> */
	public static function files(): array {
		$wrong = array();
		foreach ( array(
			'js'   => array( 'text/javascript', 'application/javascript' ),
			'wasm' => array( 'application/wasm' ),
		) as $ending => $types ) {
			$files = glob( plugin_dir_path( FILE ) . 'build/*.' . $ending );
			if ( ! is_array( $files ) || array() === $files ) {
				continue;
			}
			$answer = wp_remote_head(
				plugins_url( 'build/' . basename( $files[0] ), FILE ),
				array(
					'timeout'     => 5,
					'redirection' => 2,
					'sslverify'   => false, // A file of this site. Its content is not used.
				)
			);
			$type   = is_wp_error( $answer ) ? '' : strtolower( trim( explode( ';', (string) wp_remote_retrieve_header( $answer, 'content-type' ) )[0] ) );
			if ( ! in_array( $type, $types, true ) ) {
				$wrong[] = '.' . $ending . ' → ' . ( '' === $type ? '?' : $type );
			}
		}
		if ( array() === $wrong ) {
			return self::result( 'files', 'good', __( 'The web server names the player’s files right', 'lianmai' ), __( '.js and .wasm have their types.', 'lianmai' ) );
		}
		return self::result(
			'files',
			'recommended',
			__( 'The web server names the player’s files wrong', 'lianmai' ),
			/* translators: %s: file endings and types. */
			sprintf( __( '%s. The .wasm file works all the same and starts a little later; a .js file needs text/javascript.', 'lianmai' ), implode( ', ', $wrong ) )
		);
	}

	/** Tests whether visitors can reach the routes for pages and gateways. @return array<string, mixed> */
	public static function rest(): array {
		$answer = wp_remote_post(
			rest_url( Rest::SPACE . '/may' ),
			array(
				'timeout'     => 5,
				'redirection' => 0,
				'sslverify'   => false, // A request to this site, without a secret.
				'headers'     => array( 'Content-Type' => 'application/json' ),
				'body'        => '{"ticket":"x"}',
			)
		);
		$said   = is_wp_error( $answer ) ? null : json_decode( (string) wp_remote_retrieve_body( $answer ), true );
		if ( is_array( $said ) && isset( $said['may'] ) ) {
			return self::result( 'rest', 'good', __( 'Visitors can ask this site whether they may watch', 'lianmai' ), __( 'The REST API answers them.', 'lianmai' ) );
		}
		if ( is_wp_error( $answer ) ) {
			return self::result( 'rest', 'recommended', __( 'Whether visitors can ask this site is not known', 'lianmai' ), $answer->get_error_message() );
		}
		$code = is_array( $said ) && isset( $said['code'] ) && is_string( $said['code'] ) ? substr( sanitize_text_field( $said['code'] ), 0, 60 ) : '';
		return self::result(
			'rest',
			Settings::play_tokens() ? 'critical' : 'recommended',
			__( 'This site’s REST API is closed to visitors', 'lianmai' ),
			/* translators: 1: an HTTP status and a code, 2: an address. */
			sprintf( __( 'It answered %1$s. A security plugin or firewall has to let requests to %2$s through: viewers get their tokens there, and the gateway the key.', 'lianmai' ), trim( wp_remote_retrieve_response_code( $answer ) . ' ' . $code ), rest_url( Rest::SPACE . '/' ) )
		);
	}

	/** Tests for secrets in posts, and offers a button that moves the server's secret. @return array<string, mixed> */
	public static function secrets(): array {
		$found = PostSecrets::find();
		if ( array() === $found ) {
			return self::result( 'secrets', 'good', __( 'No post holds a stream’s secret', 'lianmai' ), __( 'Addresses in posts are for everybody to read.', 'lianmai' ) );
		}
		$count = count( array_diff_key( $found, array( Texts::WIDGETS => true ) ) );
		$posts = array();
		foreach ( array_slice( array_keys( $found ), 0, 20 ) as $id ) {
			$link    = Texts::WIDGETS === $id ? admin_url( 'widgets.php' ) : get_edit_post_link( $id );
			$title   = Texts::WIDGETS === $id ? __( 'Widgets', 'lianmai' ) : get_the_title( $id );
			$title   = '' === $title ? '#' . $id : $title;
			$posts[] = '<li>' . ( is_string( $link ) && '' !== $link ? '<a href="' . esc_url( $link ) . '">' . esc_html( $title ) . '</a>' : esc_html( $title ) ) . '</li>';
		}
		$result                = self::result(
			'secrets',
			'critical',
			/* translators: %d: how many posts. */
			0 === $count ? __( 'Widgets hold a stream’s secret', 'lianmai' ) : sprintf( _n( '%d post holds a stream’s secret', '%d posts hold a stream’s secret', $count, 'lianmai' ), $count ),
			__( 'Readers do not see it: it is taken out of every page. But it is in the database, in feeds that others made before, and for all who may edit.', 'lianmai' )
		);
		$result['description'] .= '<ul>' . implode( '', $posts ) . '</ul>';
		if ( current_user_can( 'manage_options' ) && current_user_can( 'edit_others_posts' ) ) {
			$url                = wp_nonce_url( admin_url( 'admin-post.php?action=lianmai_move_secrets' ), 'lianmai_move_secrets' );
			$result['actions'] .= '<p><a class="button" href="' . esc_url( $url ) . '">' . esc_html__( 'Move the secret to the settings', 'lianmai' ) . '</a></p>';
		}
		return $result;
	}

	/**
	 * Adds to the report that people send when they ask for help. It must not contain secrets.
	 *
	 * @param array<string, mixed> $information
	 * @return array<string, mixed>
	 */
	public static function information( array $information ): array {
		$yes    = __( 'yes', 'lianmai' );
		$no     = __( 'no', 'lianmai' );
		$fields = array(
			'version'     => array( __( 'Version', 'lianmai' ), VERSION ),
			'server'      => array( __( 'Server address', 'lianmai' ), Settings::server() ),
			'api'         => array( __( 'WHIP address', 'lianmai' ), Settings::api() ),
			'kind'        => array( __( 'Kind of server', 'lianmai' ), Settings::kind() ),
			'secret'      => array( __( 'A secret is set', 'lianmai' ), '' === Settings::secret() ? $no : $yes ),
			'everywhere'  => array( __( 'The small script is on every page', 'lianmai' ), Settings::everywhere() ? $yes : $no ),
			'play_tokens' => array( __( 'Viewers need a token', 'lianmai' ), Settings::play_tokens() ? $yes : $no ),
			'autoplay'    => array( __( 'Players begin by themselves', 'lianmai' ), Settings::autoplay() ? $yes : $no ),
			'audience'    => array( __( 'Audience', 'lianmai' ), Settings::audience() ),
			'key'         => array( __( 'Key', 'lianmai' ), Key::id() ),
		);
		$information['lianmai'] = array(
			'label'  => __( 'Lianmai', 'lianmai' ),
			'fields' => array_map(
				static function ( array $field ): array {
					return array(
						'label' => $field[0],
						'value' => $field[1],
					);
				},
				$fields
			),
		);
		return $information;
	}

	/** @return array<string, mixed> */
	private static function result( string $name, string $status, string $label, string $sentence ): array {
		$settings = '<p><a href="' . esc_url( SettingsPage::address() ) . '">' . esc_html__( 'Settings → Lianmai', 'lianmai' ) . '</a></p>';
		return array(
			'label'       => $label,
			'status'      => $status,
			'badge'       => array(
				'label' => __( 'Live video', 'lianmai' ),
				'color' => 'blue',
			),
			'description' => '<p>' . esc_html( $sentence ) . '</p>',
			'actions'     => 'good' === $status ? '' : $settings,
			'test'        => 'lianmai_' . $name,
		);
	}
}
