<?php
/**
 * Tokens and the key they are signed with.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Base64Url;
use Lianmai\Key;
use Lianmai\Token;

require_once __DIR__ . '/support/Site.php';

final class TokenTest extends Site {
	/** Checks a token with another implementation of Ed25519, JWK and thumbprints than ours. */
	private const NODE = <<<'JS'
const { createHash, createPublicKey, verify } = require('node:crypto');
const { token, keys } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const [head, claims, signature] = token.split('.');
const { kid } = JSON.parse(Buffer.from(head, 'base64url'));
const jwk = keys.find((key) => key.kid === kid);
const good = verify(null, Buffer.from(`${head}.${claims}`), createPublicKey({ key: jwk, format: 'jwk' }), Buffer.from(signature, 'base64url'));
const { crv, kty, x } = jwk;
const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
console.log(JSON.stringify({ good, thumbprint: thumbprint === kid }));
JS;

	public function test_it_says_who_may_what_for_a_minute(): void {
		$parts  = explode( '.', Token::mint( 7, 'live/stream-a', 'publish', 1700000000 ) );
		$head   = json_decode( (string) Base64Url::decode( $parts[0] ), true );
		$claims = json_decode( (string) Base64Url::decode( $parts[1] ), true );
		$this->assertSame( array( 'alg', 'typ', 'kid' ), array_keys( $head ) );
		$this->assertSame( 'EdDSA', $head['alg'] );
		$jti = $claims['jti'];
		unset( $claims['jti'] );
		$this->assertSame(
			array(
				'iss'    => home_url(),
				'aud'    => 'lianmai',
				'sub'    => '7',
				'stream' => 'live/stream-a',
				'act'    => 'publish',
				'iat'    => 1700000000,
				'exp'    => 1700000060,
			),
			$claims
		);
		$this->assertMatchesRegularExpression( '/^[A-Za-z0-9_-]{22}$/', $jti );
		$this->assertStringNotContainsString( $jti, Token::mint( 7, 'live/stream-a', 'publish', 1700000000 ) );
	}

	public function test_another_implementation_takes_it(): void {
		$before = Token::mint( 0, 'live/直播', 'play' );
		$this->assertSame( array( true, true ), self::node( $before ) );
		Key::rotate();
		$this->assertSame( array( true, true ), self::node( Token::mint( 0, 'live/a', 'play' ) ) );
	}

	/** @return array<int, bool> Good, and named by its thumbprint. */
	private static function node( string $token ): array {
		$process = proc_open( array( 'node', '-e', self::NODE ), array( array( 'pipe', 'r' ), array( 'pipe', 'w' ), STDERR ), $pipes );
		fwrite( $pipes[0], (string) json_encode( array( 'token' => $token ) + Key::set() ) );
		fclose( $pipes[0] );
		$said = json_decode( (string) stream_get_contents( $pipes[1] ), true );
		proc_close( $process );
		return array( $said['good'], $said['thumbprint'] );
	}

	public function test_it_is_good_from_now_for_a_minute_and_five_seconds_of_skew(): void {
		$token = Token::mint( 1, 'a/b', 'publish', 1700000000 );
		foreach ( array( -5, 0, 60, 65 ) as $after ) {
			$this->assertSame( 'a/b', Token::verify( $token, 'publish', 1700000000 + $after )['stream'] );
		}
		foreach ( array( -6, 66, 3600 ) as $after ) {
			$this->assertNull( Token::verify( $token, 'publish', 1700000000 + $after ), (string) $after );
		}
		$this->assertNull( Token::verify( $token, 'play', 1700000000 ) );
	}

	public function test_it_is_used_once(): void {
		$claims = Token::verify( Token::mint( 1, 'a/b', 'publish' ), 'publish' );
		$this->assertTrue( Token::spend( $claims ) );
		$this->assertFalse( Token::spend( $claims ) );
		$this->assertTrue( Token::spend( Token::verify( Token::mint( 1, 'a/b', 'publish' ), 'publish' ) ) );
	}

	public function test_used_ones_are_forgotten_when_they_are_late_anyway(): void {
		$count = static function (): int {
			global $wpdb;
			return (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE 'lianmai\\_jti\\_%'" );
		};
		$old   = time() - 120;
		Token::spend( Token::verify( Token::mint( 1, 'a/b', 'publish', $old ), 'publish', $old ) );
		$this->assertSame( 1, $count() );
		Token::spend( Token::verify( Token::mint( 1, 'a/b', 'publish' ), 'publish' ) );
		$this->assertSame( 1, $count() );
	}

	public function test_what_is_not_ours_is_refused(): void {
		$token = Token::mint( 1, 'a/b', 'publish' );
		list( $head, $claims, $signature ) = explode( '.', $token );
		$none  = Base64Url::encode( '{"alg":"none","typ":"JWT","kid":"' . Key::id() . '"}' );
		$other = Base64Url::encode( (string) str_replace( 'a/b', 'a/c', (string) Base64Url::decode( $claims ) ) );
		$pair  = sodium_crypto_sign_keypair();
		$alien = Base64Url::encode( sodium_crypto_sign_detached( "$head.$claims", sodium_crypto_sign_secretkey( $pair ) ) );
		foreach ( array( '', '..', 'a.b.c', "$none.$claims.", "$none.$claims.$signature", "$head.$other.$signature", "$head.$claims.$alien", "$head.$claims.", "$head.$claims.$signature.", str_repeat( 'a.', 40000 ), "\xff.\xff.\xff" ) as $bad ) {
			$this->assertNull( Token::verify( $bad, 'publish' ), $bad );
		}
		$this->assertNotNull( Token::verify( $token, 'publish' ) );
		self::set_server( 'https://live.example.com', array( 'audience' => 'another' ) );
		$this->assertNull( Token::verify( $token, 'publish' ), 'Its audience is another.' );
	}

	/** It may be replaced because somebody stole it. */
	public function test_a_replaced_key_counts_no_more(): void {
		$token = Token::mint( 1, 'a/b', 'publish' );
		$old   = Key::id();
		$this->assertNotNull( Token::verify( $token, 'publish' ) );
		Key::rotate();
		$this->assertNotSame( $old, Key::id() );
		$this->assertNull( Token::verify( $token, 'publish' ) );
		$this->assertSame( array( Key::id() ), array_column( Key::set()['keys'], 'kid' ) );
		$this->assertNull( Key::public_key( $old ) );
		$this->assertNotNull( Token::verify( Token::mint( 1, 'a/b', 'publish' ), 'publish' ) );
	}

	public function test_a_broken_key_is_replaced_and_no_secret_is_shown(): void {
		Key::id();
		update_option( Key::OPTION, 'broken' );
		$token = Token::mint( 1, 'a/b', 'publish' );
		$this->assertNotNull( Token::verify( $token, 'publish' ) );
		$this->assertStringNotContainsString( get_option( Key::OPTION )['secret'], (string) wp_json_encode( Key::set() ) );
		$this->assertArrayNotHasKey( Key::OPTION, wp_load_alloptions( true ) );
	}
}
