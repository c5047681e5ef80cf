<?php
/**
 * Finds secrets in addresses, where pages for SRS and Oryx have them.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Everybody can read the source of a page, so secrets are removed from every address. */
final class Secrets {
	/** Names of parameters with secrets, in lower case. */
	public const NAMES = array( 'secret', 'token', 'access_token', 'password', 'passwd', 'passphrase', 'pwd', 'pass', 'streamkey', 'stream_key' );

	/** Matches the text before the host: scheme, two slashes, a user name and perhaps a password. */
	private const USER = '~^([a-z][a-z0-9+.-]*:)?(//)([^/?#]*)@~i';

	/** Names that are secrets in the address of an image on another server too. A signed link needs its `token`. */
	private const NAMES_ELSEWHERE = array( 'secret' );

	/**
	 * Returns the address without its secrets, otherwise unchanged.
	 *
	 * @param string $url of a stream.
	 */
	public static function strip( string $url ): string {
		return self::without( $url, self::NAMES );
	}

	/**
	 * Returns the address of an image or of captions without its secrets. On the server of the settings, the rules of
	 * streams apply. On other servers, a link may be signed for everybody who has it, so only parameters that are
	 * certainly secrets are removed.
	 *
	 * @param string $url absolute or relative.
	 */
	public static function strip_file( string $url ): string {
		$ours = Address::on( $url, Settings::server() ) || Address::on( $url, Settings::api() );
		return self::without( $url, $ours ? self::NAMES : self::NAMES_ELSEWHERE );
	}

	/**
	 * Returns the address of a server without user name and password.
	 *
	 * @param string $url of a server.
	 */
	public static function strip_user( string $url ): string {
		return (string) preg_replace( self::USER, '$1$2', $url );
	}

	/**
	 * Returns the address without some parameters, user name and password.
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
	 * Returns the secrets of an address by name; `user` has the user name and password.
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
	 * Removes secrets inside names and values: `stream=x%3Fsecret%3Dy`.
	 *
	 * @param string   $url   absolute or relative.
	 * @param string[] $names in lower case.
	 */
	private static function nested( string $url, array $names ): string {
		$any = implode( '|', $names );
		return (string) preg_replace( "/(?:%3F|%26|%23)(?:{$any})%3D(?:(?!%26|%23)[^&#\/])*/i", '', $url );
	}

	/**
	 * Returns name and value if `name=value` is a secret: by its name, or because the value is the secret of the settings.
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
