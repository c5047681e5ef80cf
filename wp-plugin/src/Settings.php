<?php
/**
 * What the administrator set: the server, how it is told who may publish, and its secret.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The settings of this site, sanitised; constants of wp-config.php come first. */
final class Settings {
	public const OPTION = 'lianmai_settings';
	public const SECRET = 'lianmai_secret';
	public const GROUP  = 'lianmai';

	private const DEFAULTS = array(
		'server'      => '',
		'kind'        => 'lianmai',
		'api'         => '',
		'audience'    => 'lianmai',
		'play_tokens' => false,
		'autoplay'    => false,
		'everywhere'  => false,
	);

	/** What the form has for the kind of the server. */
	public const KINDS = array( 'lianmai', 'secret', 'other' );

	/** Hooks the options and their sanitiser in. */
	public static function register(): void {
		add_action( 'init', array( self::class, 'announce' ) );
	}

	/** Tells the Settings API about the option: whoever sets it, it is sanitised. */
	public static function announce(): void {
		register_setting(
			self::GROUP,
			self::OPTION,
			array(
				'type'              => 'object',
				'sanitize_callback' => array( self::class, 'sanitize' ),
				'show_in_rest'      => false,
			)
		);
	}

	/** The server's base address without a last slash, or '' while none is set. */
	public static function server(): string {
		return self::server_is_fixed() ? self::clean_address( (string) constant( 'LIANMAI_SERVER' ) ) : self::text( 'server' );
	}

	/** Whether wp-config.php names the server, for every site. */
	public static function server_is_fixed(): bool {
		return defined( 'LIANMAI_SERVER' ) && is_string( constant( 'LIANMAI_SERVER' ) ) && '' !== self::clean_address( constant( 'LIANMAI_SERVER' ) );
	}

	/** 'lianmai' (it takes tokens), 'secret' (one shared secret: SRS, Oryx) or 'other' (neither). */
	public static function kind(): string {
		return in_array( self::text( 'kind' ), self::KINDS, true ) ? self::text( 'kind' ) : self::DEFAULTS['kind'];
	}

	/** Where a server with a shared secret takes WHIP offers: its own address unless another is set. */
	public static function api(): string {
		$api = self::server_is_fixed() || 'secret' !== self::kind() ? '' : self::text( 'api' );
		return '' === $api ? self::server() : $api;
	}

	/** The second address as it was entered, whatever kind of server is chosen now. */
	public static function api_as_set(): string {
		return self::text( 'api' );
	}

	/** The server's shared secret, or ''. */
	public static function secret(): string {
		if ( self::secret_is_fixed() ) {
			return (string) constant( 'LIANMAI_SECRET' );
		}
		$stored = get_option( self::SECRET );
		// A secret belongs to the server it was entered for: another address does not get it.
		if ( ! is_array( $stored ) || ! isset( $stored['secret'], $stored['server'] ) || $stored['server'] !== self::api() ) {
			return '';
		}
		return (string) $stored['secret'];
	}

	/**
	 * Whether wp-config.php holds the secret. On a network only together with the server: whoever
	 * administers one site could otherwise have the network's secret sent to a server of their own.
	 */
	public static function secret_is_fixed(): bool {
		return defined( 'LIANMAI_SECRET' ) && is_string( constant( 'LIANMAI_SECRET' ) ) && '' !== constant( 'LIANMAI_SECRET' )
			&& ( ! is_multisite() || self::server_is_fixed() );
	}

	/** Keeps a secret for the server of the settings; '' forgets it. */
	public static function keep_secret( string $secret, ?string $server = null ): void {
		if ( '' === $secret ) {
			delete_option( self::SECRET );
			return;
		}
		$value = array(
			'server' => null === $server ? self::api() : $server,
			'secret' => $secret,
		);
		update_option( self::SECRET, $value, false );
	}

	/** Whether viewers need a token too. */
	public static function play_tokens(): bool {
		return 'lianmai' === self::kind() && (bool) self::all()['play_tokens'];
	}

	/** Whether players begin by themselves, without sound, where the page does not say otherwise. */
	public static function autoplay(): bool {
		return (bool) self::all()['autoplay'];
	}

	/** Whether pages without a player load the small script too. */
	public static function everywhere(): bool {
		return (bool) self::all()['everywhere'];
	}

	/** The tokens' `aud`. */
	public static function audience(): string {
		$audience = self::text( 'audience' );
		return '' === $audience ? self::DEFAULTS['audience'] : $audience;
	}

	/**
	 * What the form sent, made safe. The secret goes to an option of its own, which is not loaded with every page.
	 *
	 * @param mixed $input What came.
	 * @return array<string, mixed>
	 */
	public static function sanitize( $input ): array {
		$input = is_array( $input ) ? $input : array();
		$old   = self::all();
		$new   = array(
			'server'      => self::sanitize_address( $input, 'server', $old['server'], __( 'Server address', 'lianmai' ) ),
			'kind'        => isset( $input['kind'] ) && in_array( $input['kind'], self::KINDS, true ) ? $input['kind'] : self::DEFAULTS['kind'],
			'api'         => self::sanitize_address( $input, 'api', $old['api'], __( 'WHIP address', 'lianmai' ) ),
			'audience'    => self::sanitize_audience( $input, $old['audience'] ),
			'play_tokens' => ! empty( $input['play_tokens'] ),
			'autoplay'    => ! empty( $input['autoplay'] ),
		);
		if ( ! empty( $input['everywhere'] ) ) {
			$new['everywhere'] = true;
		}
		self::take_secret( $input, $new );
		return $new;
	}

	/** An http(s) address without query, user, last slash or the name of a stream; '' when it is none. */
	public static function clean_address( string $address ): string {
		$address = Address::without_stream( trim( $address ) );
		if ( '' !== $address && false === strpos( $address, '://' ) ) {
			// Gateways have no certificate that anybody trusts on this machine, and none at their plain ports.
			$plain   = preg_match( '~^(?:localhost|127\.[\d.]+|\[::1\])(?:[:/]|$)|^[^/]*:(?:1985|8080)(?:/|$)~i', $address );
			$address = ( $plain ? 'http://' : 'https://' ) . $address;
		}
		$parts = wp_parse_url( $address );
		if ( ! is_array( $parts ) || ! isset( $parts['scheme'], $parts['host'] ) || isset( $parts['user'] ) || isset( $parts['pass'] ) ) {
			return '';
		}
		$scheme = strtolower( $parts['scheme'] );
		$host   = strtolower( $parts['host'] );
		$path   = rtrim( isset( $parts['path'] ) ? $parts['path'] : '', '/' );
		if ( ! in_array( $scheme, array( 'http', 'https' ), true )
			|| ! preg_match( '/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/D', $host )
			|| ! preg_match( '#^(?:/[A-Za-z0-9._~/-]*)?$#D', $path )
		) {
			return '';
		}
		return $scheme . '://' . $host . ( isset( $parts['port'] ) ? ':' . $parts['port'] : '' ) . $path;
	}

	/** @return array<string, mixed> */
	private static function all(): array {
		$stored = get_option( self::OPTION );
		return array_merge( self::DEFAULTS, is_array( $stored ) ? array_intersect_key( $stored, self::DEFAULTS ) : array() );
	}

	private static function text( string $name ): string {
		$value = self::all()[ $name ];
		return is_string( $value ) ? $value : '';
	}

	/**
	 * @param array<mixed> $input What came.
	 * @param mixed        $old   What stays when it is no address.
	 */
	private static function sanitize_address( array $input, string $name, $old, string $label ): string {
		$given = isset( $input[ $name ] ) && is_string( $input[ $name ] ) ? trim( $input[ $name ] ) : '';
		$clean = self::clean_address( $given );
		if ( '' !== $clean && Address::without_stream( $given ) !== $given ) {
			/* translators: 1: the name of a setting, 2: an address. */
			self::complain( $name, sprintf( __( '%1$s: that was the address of a stream or a page. Saved is the server’s part, %2$s.', 'lianmai' ), $label, $clean ), 'warning' );
		} elseif ( '' !== (string) wp_parse_url( $clean, PHP_URL_PATH ) && $clean !== $old ) {
			/* translators: 1: the name of a setting, 2: an address, 3: an address. */
			self::complain( $name, sprintf( __( '%1$s: saved. Players will ask for %2$s: if the end of %3$s is the name of a stream, take it away.', 'lianmai' ), $label, $clean . '/' . Starter::STREAM, $clean ), 'warning' );
		}
		if ( '' === $given || '' !== $clean ) {
			return $clean;
		}
		if ( preg_match( '/^rtmps?:/i', $given ) ) {
			/* translators: %s: the name of a setting. */
			self::complain( $name, sprintf( __( '%s: streaming programs publish to an rtmp:// address; browsers need the server’s http(s) address, such as https://live.example.com. The old one stays.', 'lianmai' ), $label ) );
			return is_string( $old ) ? $old : '';
		}
		/* translators: %s: the name of a setting. */
		self::complain( $name, sprintf( __( '%s: enter an address such as https://live.example.com, without a query. The old one stays.', 'lianmai' ), $label ) );
		return is_string( $old ) ? $old : '';
	}

	/**
	 * @param array<mixed> $input What came.
	 * @param mixed        $old   What stays when it is none.
	 */
	private static function sanitize_audience( array $input, $old ): string {
		$given = isset( $input['audience'] ) && is_string( $input['audience'] ) ? trim( $input['audience'] ) : '';
		if ( '' === $given ) {
			return self::DEFAULTS['audience'];
		}
		if ( preg_match( '#^[A-Za-z0-9._~:/-]{1,200}$#D', $given ) ) {
			return $given;
		}
		self::complain( 'audience', __( 'Audience: letters, digits and . _ ~ : / - only. The old one stays.', 'lianmai' ) );
		return is_string( $old ) ? $old : self::DEFAULTS['audience'];
	}

	/**
	 * Keeps the secret that was entered, and forgets the one of another server.
	 *
	 * @param array<mixed>         $input What came.
	 * @param array<string, mixed> $settings   What will be stored.
	 */
	private static function take_secret( array $input, array $settings ): void {
		$given  = isset( $input['secret'] ) && is_string( $input['secret'] ) ? trim( $input['secret'] ) : '';
		$server = self::server_is_fixed() ? self::server() : (string) ( '' === $settings['api'] ? $settings['server'] : $settings['api'] );
		if ( '' !== $given ) {
			if ( strlen( $given ) > 500 || preg_match( '/[\x00-\x20\x7f]/', $given ) ) {
				self::complain( 'secret', __( 'Secret: no spaces, at most 500 characters. The old one stays.', 'lianmai' ) );
			} else {
				self::keep_secret( $given, $server );
			}
			return;
		}
		$stored = get_option( self::SECRET );
		if ( ! is_array( $stored ) ) {
			return;
		}
		if ( ! empty( $input['forget_secret'] ) ) {
			self::keep_secret( '' );
		} elseif ( ! isset( $stored['server'] ) || $stored['server'] !== $server ) {
			self::keep_secret( '' );
			self::complain( 'secret', __( 'The server is another one now, so its secret was forgotten. Enter the new server’s secret.', 'lianmai' ) );
		}
	}

	private static function complain( string $name, string $sentence, string $kind = 'error' ): void {
		// Absent when a program, not the form, sets the option.
		if ( function_exists( 'add_settings_error' ) ) {
			add_settings_error( self::OPTION, 'lianmai_' . $name, $sentence, $kind );
		}
	}
}
