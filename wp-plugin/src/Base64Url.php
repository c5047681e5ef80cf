<?php
/**
 * Base64 for tokens and tickets.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** RFC 4648 section 5, without padding. */
final class Base64Url {
	/** Encodes bytes as text. */
	public static function encode( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	}

	/** Decodes text to bytes; null if encode() would write another text. */
	public static function decode( string $text ): ?string {
		if ( ! preg_match( '/^[A-Za-z0-9_-]*$/D', $text ) ) {
			return null;
		}
		$bytes = base64_decode( strtr( $text, '-_', '+/' ), true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		return is_string( $bytes ) && self::encode( $bytes ) === $text ? $bytes : null;
	}
}
