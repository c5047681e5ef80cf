<?php
/**
 * Uninstalling leaves nothing.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Capability;
use Lianmai\Key;
use Lianmai\Settings;
use Lianmai\Ticket;
use Lianmai\Token;

require_once __DIR__ . '/support/Site.php';

final class UninstallTest extends Site {
	public function test_the_site_is_as_before_the_plugin(): void {
		$person = self::person( 'subscriber' );
		$author = self::person( 'author' );
		$post   = self::post();
		self::uninstall();
		$before = self::everything( $person );
		$this->assertStringNotContainsString( 'lianmai_', (string) wp_json_encode( array_diff_key( $before, array( 'active_plugins' => 1 ) ) ) );

		Capability::activate();
		get_userdata( $person )->add_cap( Capability::NAME );
		get_userdata( $person )->add_cap( Capability::HOST );
		self::set_server( 'https://live.example.com', array( 'kind' => 'secret', 'secret' => 'swordfish' ) );
		Token::spend( Token::verify( Token::mint( 1, 'a/b', 'publish' ), 'publish' ) );
		$nonce = self::log_in( $author );
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $post, 'a/b', 'publish' ), $nonce )->get_status() );
		set_transient( 'lianmai_whip_' . str_repeat( 'a', 32 ), 'https://live.example.com/x', HOUR_IN_SECONDS );
		foreach ( array( Settings::OPTION, Settings::SECRET, Key::OPTION, Capability::GIVEN ) as $name ) {
			$this->assertNotFalse( get_option( $name ), $name );
		}
		$this->assertTrue( user_can( $person, Capability::NAME ) );

		self::uninstall();
		$this->assertSame( $before, self::everything( $person ) );
	}

	private static function uninstall(): void {
		if ( ! defined( 'WP_UNINSTALL_PLUGIN' ) ) {
			define( 'WP_UNINSTALL_PLUGIN', 'lianmai/lianmai.php' );
		}
		include dirname( \Lianmai\FILE ) . '/uninstall.php';
		wp_cache_flush();
	}

	/** @return array<string, string> Options, and what the person has. */
	private static function everything( int $person ): array {
		global $wpdb;
		$all = array();
		// WordPress's own transients come and go.
		foreach ( $wpdb->get_results( "SELECT option_name, option_value FROM $wpdb->options ORDER BY option_name" ) as $row ) {
			if ( 0 !== strpos( $row->option_name, '_transient_' ) && 0 !== strpos( $row->option_name, '_site_transient_' ) || false !== strpos( $row->option_name, 'lianmai' ) ) {
				$all[ $row->option_name ] = $row->option_value;
			}
		}
		$all['user'] = (string) wp_json_encode( get_user_meta( $person ) );
		return $all;
	}
}
