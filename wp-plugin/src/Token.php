<?php
/**
 * JSON Web Tokens for authorization at the gateway.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** A token is for one attempt to connect: it is valid for a minute, and once. */
final class Token {
	public const LIFE = 60;

	/** Accepted difference of clocks in seconds. */
	private const SKEW = 5;

	private const LONGEST = 4096;
	private const USED    = 'lianmai_jti_';

	/** Creates a token for a user (0 for a visitor) to `publish` or `play` a stream. */
	public static function mint( int $user, string $stream, string $action, ?int $now = null ): string {
		return self::sign(
			$user,
			array(
				'stream' => $stream,
				'act'    => $action,
			),
			$now
		);
	}

	/** Creates a token for a user to join a room with a role. It allows no stream: the room gives keys to its hosts. */
	public static function mint_for_room( int $user, string $room, string $role, ?int $now = null ): string {
		return self::sign( $user, compact( 'room', 'role' ), $now );
	}

	/** A token with which an administrator operates the gateway. It opens no stream. */
	public static function mint_for_console( int $user, ?int $now = null ): string {
		return self::sign( $user, array( 'act' => 'operate' ), $now );
	}

	/**
	 * Creates a token with rights of a user.
	 *
	 * @param int                   $user   0 for a visitor.
	 * @param array<string, string> $rights Claims with the rights.
	 * @param int|null              $now    Null for the current time.
	 */
	private static function sign( int $user, array $rights, ?int $now ): string {
		$now    = null === $now ? time() : $now;
		$head   = array(
			'alg' => 'EdDSA',
			'typ' => 'JWT',
			'kid' => Key::id(),
		);
		$claims = array(
			'iss' => self::issuer(),
			'aud' => Settings::audience(),
			'sub' => (string) $user,
		) + $rights + array(
			'iat' => $now,
			'exp' => $now + self::LIFE,
			'jti' => Base64Url::encode( random_bytes( 16 ) ),
		);
		$text   = self::part( $head ) . '.' . self::part( $claims );
		return $text . '.' . Base64Url::encode( Key::sign( $text ) );
	}

	/**
	 * Returns the claims of this site's token if it is valid for the action; null if not.
	 *
	 * @return array<string, mixed>|null
	 */
	public static function verify( string $token, string $action, ?int $now = null ): ?array {
		$now   = null === $now ? time() : $now;
		$parts = strlen( $token ) <= self::LONGEST ? explode( '.', $token ) : array();
		if ( 3 !== count( $parts ) ) {
			return null;
		}
		$head = json_decode( (string) Base64Url::decode( $parts[0] ), true );
		if ( ! is_array( $head ) || ! isset( $head['alg'], $head['kid'] ) || 'EdDSA' !== $head['alg'] || ! is_string( $head['kid'] ) ) {
			return null;
		}
		$key       = Key::public_key( $head['kid'] );
		$signature = Base64Url::decode( $parts[2] );
		if ( null === $key || null === $signature || SODIUM_CRYPTO_SIGN_BYTES !== strlen( $signature )
			|| ! sodium_crypto_sign_verify_detached( $signature, $parts[0] . '.' . $parts[1], $key )
		) {
			return null;
		}
		$claims = json_decode( (string) Base64Url::decode( $parts[1] ), true );
		if ( ! is_array( $claims ) || ! isset( $claims['stream'], $claims['act'], $claims['iat'], $claims['exp'], $claims['jti'], $claims['aud'], $claims['iss'] )
			|| ! is_string( $claims['stream'] ) || ! is_string( $claims['jti'] ) || ! is_int( $claims['iat'] ) || ! is_int( $claims['exp'] )
			|| $claims['act'] !== $action || Settings::audience() !== $claims['aud'] || self::issuer() !== $claims['iss']
			|| $claims['iat'] > $now + self::SKEW || $claims['exp'] < $now - self::SKEW
		) {
			return null;
		}
		return $claims;
	}

	/**
	 * Marks a verified token as used. Returns false if it was used before.
	 *
	 * @param array<string, mixed> $claims The result of verify().
	 */
	public static function spend( array $claims ): bool {
		Options::drop_past( self::USED, time() );
		$name = self::USED . hash( 'sha256', (string) $claims['jti'] );
		return Options::claim( $name, (string) ( (int) $claims['exp'] + self::SKEW + 1 ) );
	}

	/** Returns the `iss` claim of tokens: this site's home address. */
	public static function issuer(): string {
		return untrailingslashit( (string) get_option( 'home' ) );
	}

	/** @param array<string, mixed> $fields Head or claims. */
	private static function part( array $fields ): string {
		return Base64Url::encode( (string) wp_json_encode( $fields, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) );
	}
}
