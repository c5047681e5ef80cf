<?php
/**
 * Settings → Lianmai.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Shows the settings, the line for the gateway, and the connection test. */
final class SettingsPage {
	public const SLUG = 'lianmai';

	/** Hooks the page in. */
	public static function register(): void {
		add_action( 'admin_menu', array( self::class, 'menu' ) );
		add_action( 'admin_init', array( self::class, 'fields' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( FILE ), array( self::class, 'link' ) );
	}

	/** Where the page is. */
	public static function address(): string {
		return admin_url( 'options-general.php?page=' . self::SLUG );
	}

	/** Puts the page into the menu, and help on it. */
	public static function menu(): void {
		$hook = add_options_page( __( 'Lianmai', 'lianmai' ), __( 'Lianmai', 'lianmai' ), 'manage_options', self::SLUG, array( self::class, 'show' ) );
		if ( is_string( $hook ) ) {
			add_action( 'load-' . $hook, array( self::class, 'help' ) );
			add_action( 'load-' . $hook, array( ConnectionTest::class, 'enqueue' ) );
		}
	}

	/**
	 * "Settings" beside the plugin's name.
	 *
	 * @param array<int|string, string> $links
	 * @return array<int|string, string>
	 */
	public static function link( array $links ): array {
		if ( current_user_can( 'manage_options' ) ) {
			array_unshift( $links, '<a href="' . esc_url( self::address() ) . '">' . esc_html__( 'Settings', 'lianmai' ) . '</a>' );
		}
		return $links;
	}

	/** The form's parts. */
	public static function fields(): void {
		add_settings_section( 'lianmai_server', __( 'Media server', 'lianmai' ), '__return_null', self::SLUG );
		foreach ( array(
			'server'      => __( 'Server address', 'lianmai' ),
			'kind'        => __( 'Kind of server', 'lianmai' ),
			'play_tokens' => __( 'Playing', 'lianmai' ),
			'autoplay'    => __( 'Beginning', 'lianmai' ),
			'audience'    => __( 'Audience', 'lianmai' ),
			'secret'      => __( 'Secret', 'lianmai' ),
			'api'         => __( 'WHIP address', 'lianmai' ),
		) as $name => $label ) {
			$args = in_array( $name, array( 'kind', 'play_tokens', 'autoplay' ), true ) ? array() : array( 'label_for' => 'lianmai-' . $name );
			add_settings_field( 'lianmai_' . $name, $label, array( self::class, 'show_' . $name ), self::SLUG, 'lianmai_server', $args );
		}
	}

	/** The page. */
	public static function show(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		echo '<div class="wrap"><h1>' . esc_html__( 'Lianmai', 'lianmai' ) . '</h1>';
		// phpcs:ignore WordPress.Security.NonceVerification -- only chooses a sentence.
		if ( isset( $_GET['lianmai_done'] ) && 'rotated' === $_GET['lianmai_done'] ) {
			self::notice( __( 'There is a new key, and the old one counts no more. Gateways that read the address get the new one by themselves; give the others the new file.', 'lianmai' ) );
		}
		$moved = PostSecrets::last_report();
		if ( '' !== $moved ) {
			self::notice( $moved );
		}
		echo '<form action="' . esc_url( admin_url( 'options.php' ) ) . '" method="post">';
		settings_fields( Settings::GROUP );
		do_settings_sections( self::SLUG );
		submit_button();
		echo '</form>';
		ConnectionTest::show();
		if ( 'lianmai' === Settings::kind() ) {
			self::show_gateway();
		}
		echo '</div>';
	}

	/** The server's address. */
	public static function show_server(): void {
		self::text_field( 'server', Settings::server(), 'https://live.example.com', Settings::server_is_fixed() );
		self::describe(
			Settings::server_is_fixed()
				? __( 'Set by LIANMAI_SERVER in wp-config.php.', 'lianmai' )
				: __( 'Where the media server answers, as browsers reach it. [srs_player stream="live/livestream"] then plays from there.', 'lianmai' )
		);
	}

	/** Tokens or a shared secret. */
	public static function show_kind(): void {
		echo '<fieldset><legend class="screen-reader-text">' . esc_html__( 'Kind of server', 'lianmai' ) . '</legend>';
		self::radio( 'lianmai', __( 'Lianmai: it trusts this site’s key, and each person gets a token', 'lianmai' ) );
		echo '<br>';
		self::radio( 'secret', __( 'SRS or Oryx: one shared secret, which this site adds to a publisher’s offer', 'lianmai' ) );
		echo '</fieldset>';
	}

	/** Whether viewers need tokens. */
	public static function show_play_tokens(): void {
		self::checkbox( 'play_tokens', Settings::play_tokens(), __( 'Viewers need a token too (the gateway runs with --auth-play)', 'lianmai' ) );
		self::describe( __( 'Only who may read a post can then play the streams in it. Lianmai servers only.', 'lianmai' ) );
	}

	/** What players do where the page says nothing. */
	public static function show_autoplay(): void {
		self::checkbox( 'autoplay', Settings::autoplay(), __( 'Players begin by themselves, without sound, where the page does not say otherwise (as srs-player’s did)', 'lianmai' ) );
		self::describe( __( 'For shortcodes and addresses of streams. A block has its own switches.', 'lianmai' ) );
	}

	/** The tokens' `aud`. */
	public static function show_audience(): void {
		self::text_field( 'audience', Settings::audience(), 'lianmai', false );
		self::describe( __( 'Whom the tokens are for; as the gateway’s auth_audience. Leave it unless several gateways trust this site.', 'lianmai' ) );
	}

	/** The secret goes in and never comes out. */
	public static function show_secret(): void {
		$fixed = Settings::secret_is_fixed();
		printf(
			'<input type="password" class="regular-text" id="lianmai-secret" name="%1$s[secret]" value="" autocomplete="new-password" spellcheck="false"%2$s aria-describedby="lianmai-secret-is">',
			esc_attr( Settings::OPTION ),
			disabled( $fixed, true, false )
		);
		if ( $fixed ) {
			$is = __( 'Set by LIANMAI_SECRET in wp-config.php.', 'lianmai' );
		} elseif ( '' !== Settings::secret() ) {
			$is = __( 'A secret is set. It is not shown; enter another one to replace it.', 'lianmai' );
		} else {
			$is = __( 'No secret is set. It is what publishing needs on an SRS or Oryx server.', 'lianmai' );
		}
		echo '<p class="description" id="lianmai-secret-is">' . esc_html( $is ) . '</p>';
		if ( ! $fixed && '' !== Settings::secret() ) {
			printf( '<label><input type="checkbox" name="%1$s[forget_secret]" value="1"> %2$s</label>', esc_attr( Settings::OPTION ), esc_html__( 'Forget the secret', 'lianmai' ) );
		}
	}

	/** Where offers go, if not to the server's address. */
	public static function show_api(): void {
		$api = Settings::api();
		self::text_field( 'api', $api === Settings::server() ? '' : $api, 'https://live.example.com:1985', Settings::server_is_fixed() );
		self::describe( __( 'SRS without a proxy takes offers at another port than it plays from: enter that address here. Leave it empty for Oryx and Lianmai.', 'lianmai' ) );
	}

	/** What each field means, behind the Help button. */
	public static function help(): void {
		$screen = get_current_screen();
		if ( null === $screen ) {
			return;
		}
		$screen->add_help_tab(
			array(
				'id'      => 'lianmai',
				'title'   => __( 'Publishing', 'lianmai' ),
				'content' => '<p>' . esc_html__( 'Whoever has the right “lianmai_publish” may publish from a page with [srs_publisher] or the block “Live publisher”: authors, editors and administrators, unless a role editor says otherwise.', 'lianmai' ) . '</p><p>'
					. esc_html__( 'A Lianmai gateway gets this site’s public key and trusts the tokens signed with it. An SRS or Oryx server gets the shared secret from this site, never from the page.', 'lianmai' ) . '</p><p>'
					. esc_html__( 'Constants in wp-config.php come before what is entered here: LIANMAI_SERVER and LIANMAI_SECRET. On a network they count for every site.', 'lianmai' ) . '</p>',
			)
		);
	}

	/** What the gateway needs to know of this site. */
	private static function show_gateway(): void {
		$set  = rest_url( Rest::SPACE . '/jwks' );
		$line = 'lianmai serve --public --auth-jwks ' . self::quoted( $set ) . ' --auth-issuer ' . self::quoted( Token::issuer() );
		if ( 'lianmai' !== Settings::audience() ) {
			$line .= ' --auth-audience ' . self::quoted( Settings::audience() );
		}
		if ( Settings::play_tokens() ) {
			$line .= ' --auth-play';
		}
		echo '<h2>' . esc_html__( 'Let the gateway trust this site', 'lianmai' ) . '</h2>';
		echo '<p>' . esc_html__( 'Start the gateway with this line, or set the same in lianmai.toml:', 'lianmai' ) . '</p>';
		echo '<p><code>' . esc_html( $line ) . '</code></p>';
		printf(
			'<p>%1$s <a href="%2$s">%3$s</a></p>',
			esc_html__( 'This site’s public key:', 'lianmai' ),
			esc_url( $set ),
			esc_html( $set )
		);
		printf(
			'<p>%1$s <a href="%2$s" download="lianmai-jwks.json">%3$s</a></p>',
			esc_html__( 'A gateway that cannot reach this site takes it as a file after --auth-jwks:', 'lianmai' ),
			esc_url( $set ),
			esc_html__( 'download lianmai-jwks.json', 'lianmai' )
		);
		echo '<form action="' . esc_url( admin_url( 'admin-post.php' ) ) . '" method="post"><input type="hidden" name="action" value="lianmai_rotate">';
		wp_nonce_field( 'lianmai_rotate' );
		submit_button( __( 'Make a new key', 'lianmai' ), 'secondary', 'submit', false );
		self::describe( __( 'When the old one may be known to somebody: it counts no more from then on.', 'lianmai' ) );
		echo '</form>';
	}

	private static function text_field( string $name, string $value, string $example, bool $fixed ): void {
		printf(
			'<input type="text" class="regular-text code" id="lianmai-%1$s" name="%2$s[%1$s]" value="%3$s" placeholder="%4$s"%5$s>',
			esc_attr( $name ),
			esc_attr( Settings::OPTION ),
			esc_attr( $value ),
			esc_attr( $example ),
			// What is shown but read-only is sent all the same, so that it survives when the constant goes.
			$fixed ? ' readonly' : ''
		);
	}

	private static function radio( string $value, string $label ): void {
		printf(
			'<label><input type="radio" name="%1$s[kind]" value="%2$s"%3$s> %4$s</label>',
			esc_attr( Settings::OPTION ),
			esc_attr( $value ),
			checked( Settings::kind(), $value, false ),
			esc_html( $label )
		);
	}

	private static function checkbox( string $name, bool $is, string $label ): void {
		printf(
			'<label><input type="checkbox" name="%1$s[%2$s]" value="1"%3$s> %4$s</label>',
			esc_attr( Settings::OPTION ),
			esc_attr( $name ),
			checked( $is, true, false ),
			esc_html( $label )
		);
	}

	private static function describe( string $sentence ): void {
		echo '<p class="description">' . esc_html( $sentence ) . '</p>';
	}

	private static function notice( string $sentence ): void {
		echo '<div class="notice notice-success is-dismissible"><p>' . esc_html( $sentence ) . '</p></div>';
	}

	private static function quoted( string $text ): string {
		return preg_match( '#^[A-Za-z0-9._~:/-]+$#D', $text ) ? $text : "'" . str_replace( "'", "'\\''", $text ) . "'";
	}
}
