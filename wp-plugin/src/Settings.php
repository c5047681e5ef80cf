<?php
/**
 * The settings of the administrator: the server, its kind of authorization, and its secret.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The sanitised settings of this site. Constants in wp-config.php take precedence. */
final class Settings {
	public const OPTION = 'lianmai_settings';
	public const SECRET = 'lianmai_secret';
	public const GROUP  = 'lianmai';

	/** Default values. */
	public const DEFAULTS = array(
		'server'      => '',
		'kind'        => 'lianmai',
		'api'         => '',
		'audience'    => 'lianmai',
		'prefix'      => '',
		'play_tokens' => false,
		'autoplay'    => false,
		'everywhere'  => false,
	);

	/** Choices for the kind of server. */
	public const KINDS = array( 'lianmai', 'secret', 'other' );

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'init', array( self::class, 'announce' ) );
	}

	/** Registers the option with its sanitiser, which also runs for changes by programs. */
	public static function announce(): void {
		register_setting(
			self::GROUP,
			self::OPTION,
			array(
				'type'              => 'object',
				'sanitize_callback' => array( SettingsInput::class, 'sanitize' ),
				'show_in_rest'      => false,
			)
		);
	}

	/** Returns the server's base address without a slash at the end, or '' while none is set. */
	public static function server(): string {
		return self::server_is_fixed() ? self::clean_address( (string) constant( 'LIANMAI_SERVER' ) ) : self::text( 'server' );
	}

	/** Returns whether wp-config.php sets the server, for every site. */
	public static function server_is_fixed(): bool {
		return defined( 'LIANMAI_SERVER' ) && is_string( constant( 'LIANMAI_SERVER' ) ) && '' !== self::clean_address( constant( 'LIANMAI_SERVER' ) );
	}

	/** Returns 'lianmai' (accepts tokens), 'secret' (one shared secret: SRS, Oryx) or 'other' (neither). */
	public static function kind(): string {
		return in_array( self::text( 'kind' ), self::KINDS, true ) ? self::text( 'kind' ) : self::DEFAULTS['kind'];
	}

	/** Returns the address for WHIP offers of a server with a shared secret: the server address unless another is set. */
	public static function api(): string {
		$api = self::server_is_fixed() || 'secret' !== self::kind() ? '' : self::text( 'api' );
		return '' === $api ? self::server() : $api;
	}

	/** Returns the WHIP address as entered, regardless of the current kind of server. */
	public static function api_as_set(): string {
		return self::text( 'api' );
	}

	/** Returns the server's shared secret, or ''. */
	public static function secret(): string {
		if ( self::secret_is_fixed() ) {
			return (string) constant( 'LIANMAI_SECRET' );
		}
		$stored = get_option( self::SECRET );
		// A secret belongs to the server for which it was entered, and is not sent to another address.
		if ( ! is_array( $stored ) || ! isset( $stored['secret'], $stored['server'] ) || $stored['server'] !== self::api() ) {
			return '';
		}
		return (string) $stored['secret'];
	}

	/**
	 * Returns whether wp-config.php sets the secret. On a network, it must set the server too: otherwise the administrator
	 * of one site could have the network's secret sent to another server.
	 */
	public static function secret_is_fixed(): bool {
		return defined( 'LIANMAI_SECRET' ) && is_string( constant( 'LIANMAI_SECRET' ) ) && '' !== constant( 'LIANMAI_SECRET' )
			&& ( ! is_multisite() || self::server_is_fixed() );
	}

	/** Stores a secret for the server of the settings; '' deletes it. */
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

	/** Returns whether viewers need a token too. */
	public static function play_tokens(): bool {
		return 'lianmai' === self::kind() && (bool) self::all()['play_tokens'];
	}

	/** Returns whether players start automatically without audio, unless the page sets another value. */
	public static function autoplay(): bool {
		return (bool) self::all()['autoplay'];
	}

	/** Returns whether pages without a player load the small script too. */
	public static function everywhere(): bool {
		return (bool) self::all()['everywhere'];
	}

	/** Returns the `aud` claim of tokens. */
	public static function audience(): string {
		$audience = self::text( 'audience' );
		return '' === $audience ? self::DEFAULTS['audience'] : $audience;
	}

	/** Returns the prefix of this site's streams on a server that several sites share, such as `news`; '' for none. */
	public static function prefix(): string {
		return 'lianmai' === self::kind() ? self::text( 'prefix' ) : '';
	}

	/** Returns the prefix as entered, regardless of the current kind of server. */
	public static function prefix_as_set(): string {
		return self::text( 'prefix' );
	}

	/**
	 * Returns the stream in an address on the server of the settings; '' for other servers and addresses without a stream.
	 *
	 * @param string $url absolute or relative.
	 */
	public static function stream_of( string $url ): string {
		foreach ( array( self::server(), self::api() ) as $base ) {
			if ( '' !== $url && Address::on( $url, $base ) && '' !== Address::stream( $url, $base ) ) {
				return Address::stream( $url, $base );
			}
		}
		return '';
	}

	/** Returns an http(s) address without query, user, slash at the end and name of a stream; '' for other texts. */
	public static function clean_address( string $address ): string {
		$address = Address::without_stream( trim( $address ) );
		if ( '' !== $address && false === strpos( $address, '://' ) ) {
			// A gateway has no trusted certificate for this machine, and no TLS at its plain ports.
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

	/**
	 * Returns the stored values, even those without effect for the current kind of server.
	 *
	 * @return array<string, mixed>
	 */
	public static function all(): array {
		$stored = get_option( self::OPTION );
		return array_merge( self::DEFAULTS, is_array( $stored ) ? array_intersect_key( $stored, self::DEFAULTS ) : array() );
	}

	private static function text( string $name ): string {
		$value = self::all()[ $name ];
		return is_string( $value ) ? $value : '';
	}
}
