<?php
/**
 * Addresses taken apart.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Address;
use Lianmai\Upstream;

final class AddressTest extends \PHPUnit\Framework\TestCase {
	public function test_origins_have_one_spelling(): void {
		foreach (
			array(
				'https://Live.Example.test/a?b#c' => 'https://live.example.test:443',
				'HTTPS://live.example.test'       => 'https://live.example.test:443',
				'http://live.example.test:1985/'  => 'http://live.example.test:1985',
				'http://[::1]'                    => 'http://[::1]:80',
				'https://ann@live.example.test/'  => '',
				'/rtc/v1/whip/'                   => '',
				'http://'                         => '',
				''                                => '',
			) as $url => $origin
		) {
			$this->assertSame( $origin, Address::origin( (string) $url ), (string) $url );
		}
	}

	public function test_hosts(): void {
		$this->assertTrue( Address::same_host( 'webrtc://LIVE.example.test/live/a?secret=x', 'https://live.example.test:8443' ) );
		$this->assertTrue( Address::same_host( 'http://localhost:1985', 'http://127.0.0.1:8080' ) );
		$this->assertFalse( Address::same_host( 'webrtc://live.example.test@evil.test/live/a', 'https://live.example.test' ) );
		$this->assertFalse( Address::same_host( '', '' ) );
	}

	public function test_only_the_servers_own_location_is_followed(): void {
		$base = 'https://live.example.test/rtc/v1/whip/?app=live&stream=a';
		foreach (
			array(
				'/session/1'                             => 'https://live.example.test/session/1',
				'https://LIVE.example.test:443/s'        => 'https://LIVE.example.test:443/s',
				'https://live.example.test:8443/s'       => '',
				'http://live.example.test/s'             => '',
				'https://live.example.test@evil.test/s'  => '',
				'//evil.test/s'                          => '',
				'javascript:alert(1)'                    => '',
				''                                       => '',
			) as $location => $url
		) {
			$this->assertSame( $url, Upstream::absolute( (string) $location, $base ), (string) $location );
		}
	}
}
