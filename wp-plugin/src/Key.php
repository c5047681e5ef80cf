<?php
/**
 * The key with which this site signs tokens.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** An Ed25519 key pair, created at first use. Only this class reads the secret key. */
final class Key {
	public const OPTION = 'lianmai_key';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'admin_post_lianmai_rotate', array( self::class, 'on_rotate' ) );
	}

	/** Signs with the current key. */
	public static function sign( string $text ): string {
		return sodium_crypto_sign_detached( $text, self::bytes( self::current()['secret'] ) );
	}

	/** Returns the id of the current key: its RFC 7638 thumbprint. */
	public static function id(): string {
		return self::thumbprint( self::current()['public'] );
	}

	/** Returns the public key with an id; null if it is not the id of the current key. */
	public static function public_key( string $id ): ?string {
		$public = self::current()['public'];
		return hash_equals( self::thumbprint( $public ), $id ) ? self::bytes( $public ) : null;
	}

	/**
	 * Returns the public key as a JSON Web Key Set.
	 *
	 * @return array{keys: array<int, array<string, string>>}
	 */
	public static function set(): array {
		$public = self::current()['public'];
		return array(
			'keys' => array(
				array(
					'kty' => 'OKP',
					'crv' => 'Ed25519',
					'use' => 'sig',
					'alg' => 'EdDSA',
					'kid' => self::thumbprint( $public ),
					'x'   => $public,
				),
			),
		);
	}

	/** Creates a new pair and deletes the old one, which may be stolen. Gateways fetch keys that they do not know. */
	public static function rotate(): void {
		update_option( self::OPTION, self::make(), false );
	}

	/** Handles the button "Make a new key". */
	public static function on_rotate(): void {
		check_admin_referer( 'lianmai_rotate' );
		if ( ! current_user_can( 'manage_options' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'lianmai' ), '', array( 'response' => 403 ) );
		}
		self::rotate();
		wp_safe_redirect( add_query_arg( 'lianmai_done', 'rotated', SettingsPage::address() ) );
		exit;
	}

	/** @return array{secret: string, public: string} */
	private static function current(): array {
		$stored = get_option( self::OPTION );
		if ( false === $stored ) {
			// If two requests need the first key at the same time, one creates it and both use it.
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
	 * Returns whether the value of an option is a valid key pair.
	 *
	 * @param mixed $stored The value from the database.
	 */
	private static function is_whole( $stored ): bool {
		return is_array( $stored ) && isset( $stored['secret'], $stored['public'] )
			&& is_string( $stored['secret'] ) && is_string( $stored['public'] )
			&& SODIUM_CRYPTO_SIGN_SECRETKEYBYTES === strlen( self::bytes( $stored['secret'] ) )
			&& SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES === strlen( self::bytes( $stored['public'] ) );
	}

	/** @return array{secret: string, public: string} */
	private static function make(): array {
		$pair = sodium_crypto_sign_keypair();
		return array(
			'secret' => Base64Url::encode( sodium_crypto_sign_secretkey( $pair ) ),
			'public' => Base64Url::encode( sodium_crypto_sign_publickey( $pair ) ),
		);
	}

	private static function thumbprint( string $x ): string {
		return Base64Url::encode( hash( 'sha256', '{"crv":"Ed25519","kty":"OKP","x":"' . $x . '"}', true ) );
	}

	private static function bytes( string $text ): string {
		return (string) Base64Url::decode( $text );
	}
}
