<?php
/**
 * Networks of sites. Runs where LIANMAI_WORDPRESS is one.
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
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/support/Upstream.php';

/** Making a site makes tables, which no transaction takes back. */
final class NetworkTest extends TestCase {
	/** @var array<int, int> */
	private $sites = array();

	protected function setUp(): void {
		if ( ! is_multisite() ) {
			$this->markTestSkipped( 'Not a network.' );
		}
		$_SERVER['REQUEST_METHOD'] = 'POST';
	}

	protected function tearDown(): void {
		foreach ( $this->sites as $site ) {
			wp_delete_site( $site );
		}
		delete_option( Settings::OPTION );
		Capability::activate( true );
	}

	public function test_new_sites_have_the_right_and_a_key_of_their_own(): void {
		$new = $this->site();
		$here = array( Key::id(), Ticket::make( 1, 'a/b', 'play' ), Token::issuer() );
		switch_to_blog( $new );
		$this->assertTrue( get_role( 'author' )->has_cap( Capability::NAME ) );
		$this->assertFalse( get_role( 'contributor' )->has_cap( Capability::NAME ) );
		$there = array( Key::id(), Ticket::make( 1, 'a/b', 'play' ), Token::issuer() );
		$other = Ticket::read( $here[1] );
		restore_current_blog();
		$this->assertSame( array(), array_intersect( $here, $there ) );
		$this->assertNull( $other, 'A ticket is its site’s.' );
	}

	public function test_settings_are_each_sites_own(): void {
		$new = $this->site();
		update_option( Settings::OPTION, array( 'server' => 'https://a.example' ) );
		switch_to_blog( $new );
		update_option( Settings::OPTION, array( 'server' => 'https://b.example' ) );
		$there = Settings::server();
		restore_current_blog();
		$this->assertSame( array( 'https://a.example', 'https://b.example' ), array( Settings::server(), $there ) );
	}

	public function test_a_super_admin_may_publish_on_every_site(): void {
		$new = $this->site();
		switch_to_blog( $new );
		$post    = (int) wp_insert_post(
			array(
				'post_title'  => 'Live',
				'post_status' => 'publish',
			)
		);
		$end     = time() + HOUR_IN_SECONDS;
		$session = \WP_Session_Tokens::get_instance( 1 )->create( $end );
		$_COOKIE[ LOGGED_IN_COOKIE ] = wp_generate_auth_cookie( 1, $end, 'logged_in', $session );
		wp_set_current_user( 1 );
		$refusal = \Lianmai\Rights::refusal( Ticket::make( $post, 'a/b', 'publish' ), (string) wp_create_nonce( 'wp_rest' ) );
		restore_current_blog();
		$_COOKIE = array();
		wp_set_current_user( 0 );
		$this->assertNull( $refusal );
	}

	/** Who runs one site of a network may not look around in its machines. */
	public function test_a_sites_administrator_reaches_no_machine_of_the_network(): void {
		$asked = array();
		$catch = static function ( $answer, $args, $url ) use ( &$asked ): array {
			$asked[] = $url;
			return array(
				'headers'  => array(),
				'body'     => '',
				'response' => array(
					'code'    => 404,
					'message' => '',
				),
				'cookies'  => array(),
			);
		};
		$inside  = array( 'http://10.0.0.1', 'http://192.168.1.1:8080', 'http://127.0.0.2', 'https://203.0.113.5:6379' );
		$outside = array( 'https://203.0.113.5', 'https://203.0.113.5:8443', 'http://203.0.113.5:1985' );
		$try     = static function ( string $server ) use ( &$asked ): array {
			update_option(
				Settings::OPTION,
				array(
					'server' => $server,
					'kind'   => 'secret',
				)
			);
			$asked  = array();
			$answer = \Lianmai\ConnectionTest::server();
			$relay  = \Lianmai\Upstream::send( 'POST', $server . '/rtc/v1/whip/', 'v=0' );
			\Lianmai\Gateway::trust();
			return array( count( $asked ), $answer['sentence'], is_wp_error( $relay ) );
		};
		$person = (int) wp_insert_user(
			array(
				'user_login' => 'site-admin-' . getmypid(),
				'user_pass'  => 'password',
				'user_email' => 'site-admin-' . getmypid() . '@example.test',
				'role'       => 'administrator',
			)
		);
		add_filter( 'pre_http_request', $catch, 10, 3 );
		$found = array();
		wp_set_current_user( $person );
		$this->assertTrue( current_user_can( 'manage_options' ) && ! is_super_admin() );
		foreach ( array_merge( $inside, $outside ) as $server ) {
			$found[ $server ] = $try( $server );
		}
		// A super admin who looks at that site's health is not the way in either.
		wp_set_current_user( 1 );
		foreach ( $inside as $server ) {
			$found[ "$server by a super admin" ] = $try( $server );
		}
		remove_filter( 'pre_http_request', $catch );
		wp_set_current_user( 0 );
		wpmu_delete_user( $person );
		foreach ( $inside as $server ) {
			foreach ( array( $server, "$server by a super admin" ) as $case ) {
				$this->assertSame( 0, $found[ $case ][0], $case );
				$this->assertStringContainsString( 'LIANMAI_SERVER', $found[ $case ][1], $case );
				$this->assertTrue( $found[ $case ][2], $case );
			}
		}
		foreach ( $outside as $server ) {
			$this->assertGreaterThan( 1, $found[ $server ][0], $server );
		}
		$this->assertFalse( has_filter( 'http_allowed_safe_ports' ) );
	}

	/** A page that shows posts of another site of the network has no tickets of that site. */
	public function test_content_of_another_site_has_no_tickets(): void {
		update_option( Settings::OPTION, array( 'server' => 'https://live.example' ) );
		$new     = $this->site();
		$content = '[srs_publisher stream="live/a"]';
		$here    = (int) wp_insert_post( array( 'post_title' => 'Here', 'post_status' => 'publish', 'post_content' => "$content [there]" ) );
		switch_to_blog( $new );
		update_option( Settings::OPTION, array( 'server' => 'https://live.example' ) );
		$there = (int) wp_insert_post( array( 'post_title' => 'There', 'post_status' => 'publish', 'post_content' => $content ) );
		restore_current_blog();
		add_shortcode(
			'there',
			static function () use ( $new, $there ): string {
				switch_to_blog( $new );
				$before          = $GLOBALS['post'];
				$GLOBALS['post'] = get_post( $there );
				$html            = apply_filters( 'the_content', $GLOBALS['post']->post_content ) . do_shortcode( '[srs_publisher stream="live/a"]' );
				$GLOBALS['post'] = $before;
				restore_current_blog();
				return $html;
			}
		);
		$GLOBALS['post'] = get_post( $here );
		$html            = (string) apply_filters( 'the_content', $GLOBALS['post']->post_content );
		$GLOBALS['post'] = null;
		remove_shortcode( 'there' );
		wp_delete_post( $here, true );
		$this->assertSame( 2, substr_count( $html, '<srs-publisher' ), 'What the shortcode itself made is left out.' );
		$this->assertSame( 1, substr_count( $html, ' data-ticket=' ) );
	}

	public function test_uninstalling_cleans_every_site(): void {
		$new = $this->site();
		foreach ( array( get_current_blog_id(), $new ) as $site ) {
			switch_to_blog( $site );
			update_option( Settings::OPTION, array( 'server' => 'https://a.example' ) );
			Key::id();
			restore_current_blog();
		}
		if ( ! defined( 'WP_UNINSTALL_PLUGIN' ) ) {
			define( 'WP_UNINSTALL_PLUGIN', 'lianmai/lianmai.php' );
		}
		include dirname( \Lianmai\FILE ) . '/uninstall.php';
		wp_cache_flush();
		foreach ( array( get_current_blog_id(), $new ) as $site ) {
			switch_to_blog( $site );
			global $wpdb;
			$left = (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE '%lianmai\\_%' OR option_value LIKE '%lianmai\\_publish%'" );
			restore_current_blog();
			$this->assertSame( 0, $left );
		}
	}

	private function site(): int {
		static $number = 0;
		$number += 1;
		$id      = wp_insert_site(
			array(
				'domain'  => get_network()->domain,
				'path'    => get_network()->path . 'site-' . getmypid() . '-' . $number . '/',
				'title'   => 'Site',
				'user_id' => 1,
			)
		);
		$this->assertIsInt( $id );
		$this->sites[] = $id;
		return $id;
	}
}
