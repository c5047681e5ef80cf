<?php
/**
 * The fields of Settings → Lianmai.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Groups of fields: for every server, for one kind of server, and advanced. */
final class SettingsFields {
	/**
	 * Returns the groups with their fields. The style hides `lianmai-for-KIND` while another kind is chosen.
	 *
	 * @return array<string, array{title: string, before: string, after: string, fields: array<string, string>}>
	 */
	private static function groups(): array {
		return array(
			'lianmai_server'   => array(
				'title'  => __( 'Media server', 'lianmai' ),
				'before' => '',
				'after'  => '',
				'fields' => array(
					'server' => __( 'Server address', 'lianmai' ),
					'kind'   => __( 'Kind of server', 'lianmai' ),
				),
			),
			'lianmai_shared'   => array(
				'title'  => __( 'SRS or Oryx', 'lianmai' ),
				// The page shows that a secret is stored, and can delete it.
				'before' => '' === Settings::secret() ? '<div class="lianmai-for-secret">' : '<div>',
				'after'  => '</div>',
				'fields' => array(
					'secret' => __( 'Secret', 'lianmai' ),
					'api'    => __( 'WHIP address', 'lianmai' ),
				),
			),
			'lianmai_players'  => array(
				'title'  => __( 'Players', 'lianmai' ),
				'before' => '',
				'after'  => '',
				'fields' => array(
					'play_tokens' => __( 'Who may watch', 'lianmai' ),
					'autoplay'    => __( 'Start', 'lianmai' ),
				),
			),
			'lianmai_advanced' => array(
				'title'  => '',
				'before' => '<details class="lianmai-advanced"><summary>' . esc_html__( 'Advanced', 'lianmai' ) . '</summary>',
				'after'  => '</details>',
				'fields' => array(
					'everywhere' => __( 'Pages without a player', 'lianmai' ),
					'prefix'     => __( 'Prefix of streams and rooms', 'lianmai' ),
					'audience'   => __( 'Audience of the tokens', 'lianmai' ),
				),
			),
		);
	}

	/** Fields for one kind of server. */
	private const OF_LIANMAI = array( 'play_tokens', 'prefix', 'audience' );

	/** Fields with several controls: the name of the field is not the label of a control. */
	private const WITHOUT_LABEL = array( 'kind', 'play_tokens', 'autoplay', 'everywhere' );

	/** Registers the fields. */
	public static function announce(): void {
		foreach ( self::groups() as $id => $group ) {
			$around = array(
				'before_section' => $group['before'],
				'after_section'  => $group['after'],
			);
			add_settings_section( $id, $group['title'], '__return_null', SettingsPage::SLUG, $around );
			foreach ( $group['fields'] as $name => $label ) {
				$args = in_array( $name, self::WITHOUT_LABEL, true ) ? array() : array( 'label_for' => 'lianmai-' . $name );
				if ( in_array( $name, self::OF_LIANMAI, true ) ) {
					$args['class'] = 'lianmai-for-lianmai';
				}
				add_settings_field( 'lianmai_' . $name, $label, array( self::class, 'show_' . $name ), SettingsPage::SLUG, $id, $args );
			}
		}
	}

	/** Prints the field for the server's address. */
	public static function show_server(): void {
		self::text_field( 'server', Settings::server(), 'https://live.example.com', Settings::server_is_fixed() );
		self::describe(
			Settings::server_is_fixed()
				? __( 'Set by LIANMAI_SERVER in wp-config.php.', 'lianmai' )
				: __( 'Where the media server answers, as browsers reach it, without the name of a stream.', 'lianmai' )
		);
	}

	/** Prints the field for the kind of server. */
	public static function show_kind(): void {
		echo '<fieldset><legend class="screen-reader-text">' . esc_html__( 'Kind of server', 'lianmai' ) . '</legend>';
		self::radio( 'lianmai', __( 'Lianmai: it trusts this site’s key, and each person gets a token', 'lianmai' ) );
		echo '<br>';
		self::radio( 'secret', __( 'SRS or Oryx: one shared secret, which this site adds to a publisher’s offer', 'lianmai' ) );
		echo '<br>';
		self::radio( 'other', __( 'Another one with WHIP and WHEP: it gets nothing from this site', 'lianmai' ) );
		echo '</fieldset>';
	}

	/** Prints the field for tokens of viewers. */
	public static function show_play_tokens(): void {
		self::checkbox( 'play_tokens', Settings::play_tokens(), __( 'Viewers need a token too (the gateway runs with --auth-play)', 'lianmai' ) );
		self::describe( __( 'Only who may read a post can then play the streams in it.', 'lianmai' ) );
	}

	/** Prints the field for the default start of players. */
	public static function show_autoplay(): void {
		self::checkbox( 'autoplay', Settings::autoplay(), __( 'Players begin by themselves, without sound, where the page does not say otherwise', 'lianmai' ) );
		self::describe( __( 'For shortcodes and addresses of streams. A block has its own switches.', 'lianmai' ) );
	}

	/** Prints the field for pages without a player. */
	public static function show_everywhere(): void {
		self::checkbox( 'everywhere', Settings::everywhere(), __( 'They load the player’s small script too (11 kB)', 'lianmai' ) );
		self::describe( __( 'For themes that put more of the site into an open page: infinite scroll, page transitions.', 'lianmai' ) );
	}

	/** Prints the field for the prefix on a shared gateway. */
	public static function show_prefix(): void {
		self::text_field( 'prefix', Settings::prefix_as_set(), 'news', false );
		/* translators: 1: a name that streams begin with, 2: the name of a stream. */
		self::describe( sprintf( __( 'For a gateway that several sites share: with %1$s, this site publishes streams such as %2$s, and those of other sites stay closed to it. Names of rooms get it by themselves. The line for the gateway names it.', 'lianmai' ), 'news', 'news/livestream' ) );
	}

	/** Prints the field for the `aud` claim of tokens. */
	public static function show_audience(): void {
		self::text_field( 'audience', Settings::audience(), 'lianmai', false );
		self::describe( __( 'Whom the tokens are for; as the gateway’s auth_audience. Leave it unless several gateways trust this site.', 'lianmai' ) );
	}

	/** Prints the field for the secret, without the stored value. */
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

	/** Prints the field for the WHIP address. */
	public static function show_api(): void {
		$api = Settings::api_as_set();
		self::text_field( 'api', $api, 'https://live.example.com:1985', Settings::server_is_fixed() );
		self::describe( __( 'SRS without a proxy takes offers at another port than it plays from: enter that address here. Leave it empty for Oryx.', 'lianmai' ) );
	}

	private static function text_field( string $name, string $value, string $example, bool $fixed ): void {
		printf(
			'<input type="text" class="regular-text code" id="lianmai-%1$s" name="%2$s[%1$s]" value="%3$s" placeholder="%4$s"%5$s>',
			esc_attr( $name ),
			esc_attr( Settings::OPTION ),
			esc_attr( $value ),
			esc_attr( $example ),
			// A read-only field is submitted too, so that its value stays when the constant is removed.
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
}
