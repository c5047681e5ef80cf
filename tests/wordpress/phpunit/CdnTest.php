<?php
/**
 * Signed addresses of a CDN, alone and in players.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Cdn;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Markup.php';

final class CdnTest extends Site {
	private const KEY = '0123456789abcdef';

	protected function setUp(): void {
		parent::setUp();
		self::set_server( 'https://live.example.test:8443' );
	}

	protected function tearDown(): void {
		remove_all_filters( 'lianmai_cdn' );
		parent::tearDown();
	}

	/** Sets the CDN. @param array<string, string> $more settings */
	private static function cdn( array $more ): void {
		remove_all_filters( 'lianmai_cdn' );
		add_filter(
			'lianmai_cdn',
			static function ( array $told ) use ( $more ): array {
				return array_merge( $told, array( 'url' => 'https://cdn.example', 'key' => self::KEY ), $more );
			}
		);
	}

	public function test_without_a_cdn_there_is_no_address(): void {
		$this->assertSame( '', Cdn::address( 'live/x' ) );
		foreach (
			array(
				array( 'url' => '' ),
				array( 'url' => 'javascript:alert(1)' ),
				array( 'sign' => 'other' ),
				array( 'sign' => 'tencent', 'key' => 'short' ),
				array( 'format' => 'php' ),
			) as $wrong
		) {
			self::cdn( $wrong );
			$this->assertSame( '', Cdn::address( 'live/x' ), (string) wp_json_encode( $wrong ) );
		}
	}

	public function test_signatures_are_those_of_the_cdns_and_of_the_gateway(): void {
		$now = 1800000060 - HOUR_IN_SECONDS;
		self::cdn( array( 'hours' => '1' ) );
		$this->assertSame( 'https://cdn.example/live/a%20b.m3u8', Cdn::address( 'live/a b', $now ) );
		self::cdn( array( 'hours' => '1', 'sign' => 'tencent', 'format' => 'flv' ) );
		// The gateway's own test has the same: printf '%s' "${KEY}x6B49D23C" | md5sum.
		$this->assertSame( 'https://cdn.example/live/x.flv?txSecret=9ebc000114f4fdeb39837cf1f2a50a48&txTime=6B49D23C', Cdn::address( 'live/x', $now ) );
		self::cdn( array( 'hours' => '1', 'sign' => 'aliyun', 'url' => 'https://cdn.example/hls' ) );
		$this->assertSame( 1, preg_match( '~^https://cdn\.example/hls/live/x\.m3u8\?auth_key=1800000060-([0-9a-f]{32})-0-([0-9a-f]{32})$~', Cdn::address( 'live/x', $now ), $found ) );
		$this->assertSame( md5( '/hls/live/x.m3u8-1800000060-' . $found[1] . '-0-' . self::KEY ), $found[2] );
		self::cdn( array( 'hours' => '100000' ) );
		$this->assertSame( 'https://cdn.example/live/x.m3u8', Cdn::address( 'live/x', $now ) );
	}

	public function test_players_by_name_play_from_the_cdn_and_others_do_not(): void {
		self::cdn( array( 'sign' => 'tencent' ) );
		$url = static function ( string $shortcode ): string {
			return (string) ( Markup::element( do_shortcode( $shortcode ) )['url'] ?? '' );
		};
		foreach ( array( '[srs_player stream="live/x"]', '[srs_player stream="live/x" protocol="hls"]' ) as $shortcode ) {
			$this->assertStringStartsWith( 'https://cdn.example/live/x.m3u8?txSecret=', $url( $shortcode ), $shortcode );
			$this->assertStringNotContainsString( self::KEY, do_shortcode( $shortcode ) );
		}
		foreach (
			array(
				'[srs_player stream="live/x" protocol="webrtc"]',
				'[srs_player url="https://live.example.test:8443/live/x.flv"]',
				'[srs_player stream="live/x" server="https://other.example"]',
				'[srs_publisher stream="live/x"]',
			) as $shortcode
		) {
			$this->assertStringNotContainsString( 'cdn.example', do_shortcode( $shortcode ), $shortcode );
		}
	}
}
