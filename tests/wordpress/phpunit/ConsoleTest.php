<?php
/**
 * The way to the gateway's console.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Base64Url;
use Lianmai\Console;
use Lianmai\Settings;

require_once __DIR__ . '/support/Site.php';

final class ConsoleTest extends Site {
	/** @param array<string, mixed> $settings */
	private static function shown( array $settings ): string {
		update_option( Settings::OPTION, array_merge( Settings::DEFAULTS, $settings ) );
		ob_start();
		Console::show();
		return (string) ob_get_clean();
	}

	public function test_the_button_stands_where_a_gateway_can_let_the_administrator_in(): void {
		$this->assertStringContainsString( 'value="lianmai_console"', self::shown( array( 'server' => 'https://live.example.com' ) ) );
		$this->assertSame( '', self::shown( array( 'server' => '' ) ) );
		foreach ( array( array( 'kind' => 'secret' ), array( 'prefix' => 'news' ) ) as $other ) {
			$this->assertSame( '', self::shown( $other + array( 'server' => 'https://live.example.com' ) ) );
		}
	}

	public function test_the_token_stands_behind_the_hash_and_names_no_stream(): void {
		update_option( Settings::OPTION, array( 'server' => 'https://live.example.com' ) + Settings::DEFAULTS );
		list( $page, $token ) = explode( '#', Console::address( 7 ) );
		$this->assertSame( 'https://live.example.com/console/', $page );
		$claims = json_decode( (string) Base64Url::decode( explode( '.', $token )[1] ), true );
		$this->assertSame( array( 'operate', '7' ), array( $claims['act'], $claims['sub'] ) );
		$this->assertArrayNotHasKey( 'stream', $claims );
		$this->assertSame( 60, $claims['exp'] - $claims['iat'] );
	}
}
