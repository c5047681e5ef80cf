<?php
/**
 * Secrets in addresses, as pages for SRS and Oryx carry them.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** A page's source is for everybody, so what it carries is no secret: it is taken out of every address. */
final class Secrets {
	/** Names of parameters, in lower case. */
	public const NAMES = array( 'secret', 'token', 'access_token', 'password', 'passwd', 'passphrase', 'pwd', 'pass', 'streamkey', 'stream_key' );

	/** What stands before the host: scheme, two slashes, a person and perhaps a password. */
	private const USER = '~^([a-z][a-z0-9+.-]*:)?(//)([^/?#]*)@~i';

	/** Of those, what is a secret in the address of a picture elsewhere too: a signed link needs its `token`. */
	private const NAMES_ELSEWHERE = array( 'secret' );

	/**
	 * The address without its secrets, otherwise as it is.
	 *
	 * @param string $url of a stream.
	 */
	public static function strip( string $url ): string {
		return self::without( $url, self::NAMES );
	}

	/**
	 * The address of a picture or of captions without its secrets. On the server of the settings it is as one of a
	 * stream; elsewhere a link may be signed, and is for everybody who has it, so that its parameters stay but those
	 * that are secrets by any reading.
	 *
	 * @param string $url absolute or relative.
	 */
	public static function strip_file( string $url ): string {
		$ours = Address::on( $url, Settings::server() ) || Address::on( $url, Settings::api() );
		return self::without( $url, $ours ? self::NAMES : self::NAMES_ELSEWHERE );
	}

	/**
	 * The address of a server without a person and password.
	 *
	 * @param string $url of a server.
	 */
	public static function strip_user( string $url ): string {
		return (string) preg_replace( self::USER, '$1$2', $url );
	}

	/**
	 * The address without parameters of some names, and without who stands before the host.
	 *
	 * @param string   $url   absolute or relative.
	 * @param string[] $names in lower case.
	 */
	private static function without( string $url, array $names ): string {
		return (string) preg_replace_callback(
			'/([?#])([^?#]*)/',
			static function ( array $part ) use ( $names ): string {
				$kept = array_filter(
					explode( '&', $part[2] ),
					static function ( string $pair ) use ( $names ): bool {
						return null === self::secret( $pair, $names );
					}
				);
				return array() === $kept || array( '' ) === array_values( $kept ) ? '' : $part[1] . implode( '&', $kept );
			},
			self::nested( self::strip_user( $url ), $names )
		);
	}

	/**
	 * The secrets of an address: names and values; `user` is what stands before the host.
	 *
	 * @param string $url of a stream.
	 * @return array<string, string>
	 */
	public static function find( string $url ): array {
		$found = array();
		if ( preg_match( self::USER, $url, $is ) ) {
			$found['user'] = rawurldecode( $is[3] );
		}
		preg_match_all( '/[^?#&]+/', (string) preg_replace( '/^[^?#]*/', '', rawurldecode( $url ) . '&' . $url ), $pairs );
		foreach ( $pairs[0] as $pair ) {
			$secret = self::secret( $pair, self::NAMES );
			if ( null !== $secret ) {
				$found += $secret;
			}
		}
		return $found;
	}

	/**
	 * Takes out secrets inside of names and values: `stream=x%3Fsecret%3Dy`.
	 *
	 * @param string   $url   absolute or relative.
	 * @param string[] $names in lower case.
	 */
	private static function nested( string $url, array $names ): string {
		$any = implode( '|', $names );
		return (string) preg_replace( "/(?:%3F|%26|%23)(?:{$any})%3D(?:(?!%26|%23)[^&#\/])*/i", '', $url );
	}

	/**
	 * Name and value, if `name=value` is a secret by its name or by being that of the settings.
	 *
	 * @param string   $pair  of a query.
	 * @param string[] $names in lower case.
	 * @return array<string, string>|null
	 */
	private static function secret( string $pair, array $names ): ?array {
		list( $name, $value ) = array_map( 'urldecode', explode( '=', $pair, 2 ) + array( 1 => '' ) );
		$name                 = strtolower( trim( $name ) );
		$ours                 = Settings::secret();
		if ( in_array( $name, $names, true ) || ( '' !== $ours && $value === $ours ) ) {
			return array( $name => $value );
		}
		return null;
	}
}
