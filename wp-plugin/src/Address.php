<?php
/**
 * Creates and parses addresses of streams.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Addresses in the forms of the gateway and of SRS. */
final class Address {
	/** Suffixes of a stream's address, by protocol. */
	private const ENDINGS = array(
		'flv'    => '.flv',
		'ws-flv' => '.flv',
		'hls'    => '.m3u8',
		'native' => '.m3u8',
		'ts'     => '.ts',
	);

	/** Default ports of the gateway and of SRS. */
	public const PORTS = array( 80, 443, 1985, 8080, 8443 );

	/**
	 * Returns the address for playing a stream.
	 *
	 * @param string $stream   app/name.
	 * @param string $server   base address.
	 * @param string $protocol as of the attribute table.
	 * @param string $kind     of the server: lianmai, or secret for SRS and Oryx.
	 */
	public static function play( string $stream, string $server, string $protocol, string $kind ): string {
		if ( isset( self::ENDINGS[ $protocol ] ) ) {
			$base = 'ws-flv' === $protocol ? (string) preg_replace( '/^http/', 'ws', $server ) : $server;
			return $base . '/' . self::path( $stream ) . self::ENDINGS[ $protocol ];
		}
		return self::signalling( $stream, $server, 'whep', $kind );
	}

	/**
	 * Returns the address for publishing a stream.
	 *
	 * @param string $stream app/name.
	 * @param string $server base address.
	 * @param string $kind   of the server.
	 */
	public static function publish( string $stream, string $server, string $kind ): string {
		return self::signalling( $stream, $server, 'whip', $kind );
	}

	/**
	 * Returns the stream in an address; empty if there is none.
	 *
	 * @param string $url    absolute or relative.
	 * @param string $server whose path does not belong to the stream.
	 */
	public static function stream( string $url, string $server = '' ): string {
		if ( ! preg_match( '~^(?:([a-z]+):)?(?://[^/?#]*)?([^?#]*)(?:\?([^#]*))?~i', $url, $is ) ) {
			return '';
		}
		$scheme = strtolower( $is[1] );
		$path   = $is[2];
		$prefix = (string) preg_replace( '~^https?://[^/]*~i', '', $server );
		if ( 'webrtc' !== $scheme && '' !== $prefix && 0 === strpos( $path, $prefix . '/' ) ) {
			$path = substr( $path, strlen( $prefix ) );
		}
		if ( preg_match( '~/rtc/v1/whi?e?p/?$~', $path ) ) {
			parse_str( $is[3] ?? '', $query );
			$app  = $query['app'] ?? 'live';
			$name = $query['stream'] ?? '';
			$path = is_string( $app ) && is_string( $name ) && '' !== $name ? $app . '/' . $name : '';
		} elseif ( 'webrtc' === $scheme || 'rtmp' === $scheme ) {
			$path = rawurldecode( $path );
		} else {
			$path = preg_match( '~^(.+?)(?:/whip/?|/whep/?|\.flv|\.m3u8|\.ts)$~i', $path, $kept ) ? rawurldecode( $kept[1] ) : '';
		}
		$path = trim( $path, '/' );
		return false === strpos( $path, '/' ) ? '' : $path;
	}

	/**
	 * Returns the server of an address that was copied from a player, a streaming program or the gateway's pages. The result
	 * has no scheme if the address does not tell whether it is http or https.
	 *
	 * @param string $address as entered.
	 */
	public static function without_stream( string $address ): string {
		if ( ! preg_match( '~^(?:([a-z]+):)?(?://)?([^/?#\s]+)(/[^?#\s]*)?([?#]\S*)?$~iD', $address, $is ) ) {
			return $address;
		}
		$scheme = array(
			'webrtc' => '',
			'ws'     => 'http://',
			'wss'    => 'https://',
		)[ strtolower( $is[1] ) ] ?? null;
		$path   = $is[3] ?? '';
		if ( null !== $scheme ) {
			return $scheme . $is[2];
		}
		$cut = preg_replace(
			array(
				// Pages and routes of the gateway and of SRS.
				'~/(?:(?:rtc|api)/v1|players|srs-player|console|healthz|metrics)(?:[/.].*)?$~i',
				'~(?:/[^/]+)?/[^/]+(?:\.(?:flv|m3u8|mpd|ts|m4s|mp4)|/whip/?|/whep/?)$~i',
				'~^/live/[^/]+/?$~i',
				'~/[^/]+\.(?:html?|js)$~i',
			),
			'',
			$path
		);
		return $cut === $path ? $address : substr( $address, 0, strlen( $address ) - strlen( $path . ( $is[4] ?? '' ) ) ) . $cut;
	}

	/**
	 * Returns whether an address is on the server of the settings, at its port or at a default port of gateways, so
	 * that the server accepts WordPress's tokens.
	 *
	 * @param string $url    absolute or relative.
	 * @param string $server base address.
	 */
	public static function on( string $url, string $server ): bool {
		if ( '' === $server ) {
			return false;
		}
		if ( 0 === strpos( $url, '//' ) ) {
			$url = ( is_ssl() ? 'https:' : 'http:' ) . $url;
		} elseif ( ! preg_match( '~^[a-z]+://~i', $url ) ) {
			$url = self::origin( home_url() ) . '/' . ltrim( $url, '/' );
		}
		$there = self::parts( $url );
		$here  = self::parts( $server );
		if ( '' === self::host( $here ) || self::host( $there ) !== self::host( $here ) ) {
			return false;
		}
		$usual = self::port( $there ) === self::port( $here ) || in_array( self::port( $there ), self::PORTS, true );
		if ( preg_match( '/^webrtc:/i', $url ) ) {
			return $usual;
		}
		return $usual && 0 === strpos( $there['path'] ?? '/', ( $here['path'] ?? '' ) . '/' );
	}

	/**
	 * Returns whether a text is the address of a live stream, and nothing else.
	 *
	 * @param string $text as written.
	 */
	public static function live( string $text ): bool {
		return 1 === preg_match( '~^(?:webrtc://[^\s<>"/]+/[^\s<>"]+|https?://[^\s<>"?#]+\.(?:m3u8|flv)(?:[?#][^\s<>"]*)?)$~Di', $text );
	}

	/**
	 * Returns the WHIP or WHEP address of a stream.
	 *
	 * @param string $stream app/name.
	 * @param string $server base address.
	 * @param string $what   whip or whep.
	 * @param string $kind   of the server.
	 */
	private static function signalling( string $stream, string $server, string $what, string $kind ): string {
		if ( 'secret' !== $kind ) {
			return $server . '/' . self::path( $stream ) . '/' . $what;
		}
		$cut = (int) strrpos( $stream, '/' );
		return $server . '/rtc/v1/' . $what . '/?app=' . rawurlencode( substr( $stream, 0, $cut ) ) . '&stream=' . rawurlencode( substr( $stream, $cut + 1 ) );
	}

	/**
	 * Encodes the name of a stream for a path.
	 *
	 * @param string $stream app/name.
	 */
	private static function path( string $stream ): string {
		return implode( '/', array_map( 'rawurlencode', explode( '/', $stream ) ) );
	}

	/**
	 * Returns scheme, host and port in normal form; empty if the address has none, or has a user name.
	 *
	 * @param string $url absolute.
	 */
	public static function origin( string $url ): string {
		$parts = self::parts( $url );
		if ( ! isset( $parts['scheme'], $parts['host'] ) || isset( $parts['user'] ) ) {
			return '';
		}
		return strtolower( $parts['scheme'] ) . '://' . strtolower( $parts['host'] ) . ':' . self::port( $parts );
	}

	/**
	 * Returns whether two addresses have the same host. All names of this machine count as the same host.
	 *
	 * @param string $one   absolute.
	 * @param string $other absolute.
	 */
	public static function same_host( string $one, string $other ): bool {
		$host = self::host( self::parts( $one ) );
		return '' !== $host && self::host( self::parts( $other ) ) === $host;
	}

	/**
	 * Splits an address into parts; empty if it is invalid. Unknown schemes may have a host too.
	 *
	 * @param string $url absolute.
	 * @return array<string, string|int>
	 */
	private static function parts( string $url ): array {
		$parts = wp_parse_url( (string) preg_replace( '/^webrtc:/i', 'http:', $url ) );
		return is_array( $parts ) ? $parts : array();
	}

	/**
	 * Returns the host in lower case. All names of this machine become the same name.
	 *
	 * @param array $parts of an address.
	 */
	private static function host( array $parts ): string {
		$host = strtolower( $parts['host'] ?? '' );
		return in_array( $host, array( 'localhost', '[::1]' ), true ) ? '127.0.0.1' : $host;
	}

	/**
	 * Returns the port of an address, or the default port.
	 *
	 * @param array $parts of an address.
	 */
	private static function port( array $parts ): int {
		return (int) ( $parts['port'] ?? ( in_array( strtolower( $parts['scheme'] ?? '' ), array( 'https', 'wss' ), true ) ? 443 : 80 ) );
	}
}
