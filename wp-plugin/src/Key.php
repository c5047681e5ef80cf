<?php
/**
 * The key this site signs tokens with.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** An Ed25519 pair, made at first need. Its secret half is read here alone and never leaves. */
final class Key {
	public const OPTION = 'lianmai_key';

	/** How long a replaced key stays in the set: gateways and caches catch up meanwhile. */
	private const OLD_FOR = DAY_IN_SECONDS;

	/** Hooks the button in. */
	public static function register(): void {
		add_action( 'admin_post_lianmai_rotate', array( self::class, 'on_rotate' ) );
	}

	/** Signs with the current key. */
	public static function sign( string $text ): string {
		return sodium_crypto_sign_detached( $text, self::bytes( self::current()['secret'] ) );
	}

	/** The current key's id: its RFC 7638 thumbprint. */
	public static function id(): string {
		return self::thumbprint( self::current()['public'] );
	}

	/** A public key by its id, current or recently replaced; null when there is none. */
	public static function public_key( string $id ): ?string {
		foreach ( self::public_keys() as $public ) {
			if ( hash_equals( self::thumbprint( $public ), $id ) ) {
				return self::bytes( $public );
			}
		}
		return null;
	}

	/**
	 * The public halves as a JSON Web Key Set, the current one first.
	 *
	 * @return array{keys: array<int, array<string, string>>}
	 */
	public static function set(): array {
		$keys = array();
		foreach ( self::public_keys() as $public ) {
			$keys[] = array(
				'kty' => 'OKP',
				'crv' => 'Ed25519',
				'use' => 'sig',
				'alg' => 'EdDSA',
				'kid' => self::thumbprint( $public ),
				'x'   => $public,
			);
		}
		return array( 'keys' => $keys );
	}

	/** Makes a new pair; the old public half stays known for a day. */
	public static function rotate(): void {
		$current    = self::current();
		$new        = self::make();
		$new['old'] = array_merge(
			array(
				array(
					'public' => $current['public'],
					'until'  => time() + self::OLD_FOR,
				),
			),
			self::not_past( $current['old'] )
		);
		update_option( self::OPTION, $new, false );
	}

	/** The button "Make a new key". */
	public static function on_rotate(): void {
		check_admin_referer( 'lianmai_rotate' );
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'lianmai' ), '', array( 'response' => 403 ) );
		}
		self::rotate();
		wp_safe_redirect( add_query_arg( 'lianmai_done', 'rotated', SettingsPage::address() ) );
		exit;
	}

	/** @return array<int, string> */
	private static function public_keys(): array {
		$current = self::current();
		return array_merge( array( $current['public'] ), array_column( self::not_past( $current['old'] ), 'public' ) );
	}

	/** @return array{secret: string, public: string, old: array<int, array{public: string, until: int}>} */
	private static function current(): array {
		$stored = get_option( self::OPTION );
		if ( false === $stored ) {
			// Of two first requests one makes the key, and both use it.
			Options::claim( self::OPTION, (string) maybe_serialize( self::make() ) );
			$stored = get_option( self::OPTION );
		}
		if ( ! self::is_whole( $stored ) ) {
			$stored = self::make();
			update_option( self::OPTION, $stored, false );
		}
		return $stored;
	}

	/**
	 * Whether an option's value is a key that can sign.
	 *
	 * @param mixed $stored What the database gave.
	 */
	private static function is_whole( $stored ): bool {
		return is_array( $stored ) && isset( $stored['secret'], $stored['public'], $stored['old'] )
			&& is_string( $stored['secret'] ) && is_string( $stored['public'] ) && is_array( $stored['old'] )
			&& SODIUM_CRYPTO_SIGN_SECRETKEYBYTES === strlen( self::bytes( $stored['secret'] ) )
			&& SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES === strlen( self::bytes( $stored['public'] ) );
	}

	/** @return array{secret: string, public: string, old: array<int, array{public: string, until: int}>} */
	private static function make(): array {
		$pair = sodium_crypto_sign_keypair();
		return array(
			'secret' => Base64Url::encode( sodium_crypto_sign_secretkey( $pair ) ),
			'public' => Base64Url::encode( sodium_crypto_sign_publickey( $pair ) ),
			'old'    => array(),
		);
	}

	/**
	 * @param array<mixed> $old Replaced keys.
	 * @return array<int, array{public: string, until: int}>
	 */
	private static function not_past( array $old ): array {
		$now = time();
		return array_values(
			array_filter(
				$old,
				static function ( $key ) use ( $now ): bool {
					return is_array( $key ) && isset( $key['public'], $key['until'] ) && $key['until'] > $now;
				}
			)
		);
	}

	private static function thumbprint( string $x ): string {
		return Base64Url::encode( hash( 'sha256', '{"crv":"Ed25519","kty":"OKP","x":"' . $x . '"}', true ) );
	}

	private static function bytes( string $text ): string {
		return (string) Base64Url::decode( $text );
	}
}
