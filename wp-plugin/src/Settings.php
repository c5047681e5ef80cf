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

	/** What holds until somebody sets it. */
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
				'sanitize_callback' => array( SettingsInput::class, 'sanitize' ),
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

	/** What the names of this site's streams begin with on a server that several sites share, such as `news`; '': anything. */
	public static function prefix(): string {
		return 'lianmai' === self::kind() ? self::text( 'prefix' ) : '';
	}

	/** The prefix as it was entered, whatever kind of server is chosen now. */
	public static function prefix_as_set(): string {
		return self::text( 'prefix' );
	}

	/**
	 * The stream that an address names on the server of the settings; '' when the address is elsewhere or names none.
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

	/**
	 * What is stored, whether it holds now or not.
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
