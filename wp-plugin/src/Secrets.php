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

	/**
	 * The address without its secrets, otherwise as it is.
	 *
	 * @param string $url of a stream.
	 */
	public static function strip( string $url ): string {
		$url = self::nested( (string) preg_replace( self::USER, '$1$2', $url ) );
		return (string) preg_replace_callback(
			'/([?#])([^?#]*)/',
			static function ( array $part ): string {
				$kept = array_filter(
					explode( '&', $part[2] ),
					static function ( string $pair ): bool {
						return null === self::secret( $pair );
					}
				);
				return array() === $kept || array( '' ) === array_values( $kept ) ? '' : $part[1] . implode( '&', $kept );
			},
			$url
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
			$secret = self::secret( $pair );
			if ( null !== $secret ) {
				$found += $secret;
			}
		}
		return $found;
	}

	/**
	 * Takes out secrets inside of names and values: `stream=x%3Fsecret%3Dy`.
	 *
	 * @param string $url of a stream.
	 */
	private static function nested( string $url ): string {
		$names = implode( '|', self::NAMES );
		return (string) preg_replace( "/(?:%3F|%26|%23)(?:{$names})%3D(?:(?!%26|%23)[^&#\/])*/i", '', $url );
	}

	/**
	 * Name and value, if `name=value` is a secret by its name or by being that of the settings.
	 *
	 * @param string $pair of a query.
	 * @return array<string, string>|null
	 */
	private static function secret( string $pair ): ?array {
		list( $name, $value ) = array_map( 'urldecode', explode( '=', $pair, 2 ) + array( 1 => '' ) );
		$name                 = strtolower( trim( $name ) );
		$ours                 = Settings::secret();
		if ( in_array( $name, self::NAMES, true ) || ( '' !== $ours && $value === $ours ) ) {
			return array( $name => $value );
		}
		return null;
	}
}
