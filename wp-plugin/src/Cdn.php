<?php
/**
 * Signed addresses of a CDN.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Addresses for players, at a CDN that has the streams of the server. wp-config.php names the CDN by constants, so that its
 * key is not in the database: LIANMAI_CDN, LIANMAI_CDN_SIGN, LIANMAI_CDN_KEY, LIANMAI_CDN_FORMAT and LIANMAI_CDN_HOURS.
 */
final class Cdn {
	/** Forms of signatures. */
	public const SIGNS = array( 'none', 'tencent', 'aliyun' );

	/** Hours for which an address is valid, if nothing else is set: as long as caches usually keep pages, and somebody watches. */
	private const HOURS = 24;

	/** Longest validity in hours. */
	private const MOST_HOURS = 168;

	/**
	 * Returns the address of a stream at the CDN, signed if the settings say so; '' if there is no CDN or a setting is wrong.
	 *
	 * @param string   $stream app/name.
	 * @param int|null $now    seconds since 1970; the present time by default.
	 */
	public static function address( string $stream, ?int $now = null ): string {
		$cdn = self::settings();
		if ( null === $cdn || '' === $stream ) {
			return '';
		}
		$path    = '/' . implode( '/', array_map( 'rawurlencode', explode( '/', $stream ) ) ) . '.' . $cdn['format'];
		$expires = ( $now ?? time() ) + $cdn['hours'] * HOUR_IN_SECONDS;
		return $cdn['url'] . $path . self::query( $cdn, $path, $stream, $expires );
	}

	/**
	 * Returns the signature.
	 *
	 * @param array{url: string, sign: string, key: string, format: string, hours: int} $cdn     the settings.
	 * @param string                                                                    $path    from its slash on, encoded.
	 * @param string                                                                    $stream  app/name.
	 * @param int                                                                       $expires seconds since 1970.
	 */
	private static function query( array $cdn, string $path, string $stream, int $expires ): string {
		if ( 'tencent' === $cdn['sign'] ) {
			$time = strtoupper( dechex( $expires ) );
			$name = substr( (string) strstr( $stream, '/' ), 1 );
			return '?txSecret=' . md5( $cdn['key'] . $name . $time ) . '&txTime=' . $time;
		}
		if ( 'aliyun' === $cdn['sign'] ) {
			$whole = (string) wp_parse_url( $cdn['url'], PHP_URL_PATH ) . $path;
			$rand  = bin2hex( random_bytes( 16 ) );
			return "?auth_key={$expires}-{$rand}-0-" . md5( "{$whole}-{$expires}-{$rand}-0-{$cdn['key']}" );
		}
		return '';
	}

	/**
	 * Returns the settings; null without a CDN, or if a setting is wrong.
	 *
	 * @return array{url: string, sign: string, key: string, format: string, hours: int}|null
	 */
	private static function settings(): ?array {
		$told = array(
			'url'    => self::constant( 'LIANMAI_CDN', '' ),
			'sign'   => self::constant( 'LIANMAI_CDN_SIGN', 'none' ),
			'key'    => self::constant( 'LIANMAI_CDN_KEY', '' ),
			'format' => self::constant( 'LIANMAI_CDN_FORMAT', 'm3u8' ),
			'hours'  => self::constant( 'LIANMAI_CDN_HOURS', (string) self::HOURS ),
		);
		/**
		 * Filters the CDN of players: url, sign (none, tencent or aliyun), key, format (m3u8 or flv) and hours.
		 *
		 * @param array<string, string> $told the constants of wp-config.php.
		 */
		$told  = (array) apply_filters( 'lianmai_cdn', $told );
		$text  = static function ( string $name ) use ( $told ): string {
			return isset( $told[ $name ] ) && is_scalar( $told[ $name ] ) ? (string) $told[ $name ] : '';
		};
		$url   = Settings::clean_address( $text( 'url' ) );
		$right = '' !== $url
			&& in_array( $text( 'sign' ), self::SIGNS, true )
			&& in_array( $text( 'format' ), array( 'm3u8', 'flv' ), true )
			&& ( 'none' === $text( 'sign' ) || strlen( $text( 'key' ) ) >= 8 );
		if ( ! $right ) {
			return null;
		}
		return array(
			'url'    => $url,
			'sign'   => $text( 'sign' ),
			'key'    => $text( 'key' ),
			'format' => $text( 'format' ),
			'hours'  => max( 1, min( self::MOST_HOURS, (int) $text( 'hours' ) ) ),
		);
	}

	private static function constant( string $name, string $otherwise ): string {
		return defined( $name ) && is_scalar( constant( $name ) ) ? (string) constant( $name ) : $otherwise;
	}
}
