<?php
/**
 * A test that leaves the site as it was.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Key;
use Lianmai\Settings;
use PHPUnit\Framework\TestCase;

/** People, posts and requests; the database is rolled back after each test. */
abstract class Site extends TestCase {
	protected function setUp(): void {
		global $wpdb;
		parent::setUp();
		$wpdb->query( 'START TRANSACTION' );
		wp_cache_flush();
		$_SERVER['REQUEST_METHOD'] = 'POST';
		delete_option( Settings::OPTION );
		delete_option( Settings::SECRET );
		delete_option( Key::OPTION );
		wp_set_current_user( 0 );
	}

	protected function tearDown(): void {
		global $wpdb, $wp_settings_errors;
		$wpdb->query( 'ROLLBACK' );
		wp_cache_flush();
		wp_roles()->for_site();
		wp_set_current_user( 0 );
		$_COOKIE            = array();
		$wp_settings_errors = array();
		parent::tearDown();
	}

	/** A person of a role. */
	protected static function person( string $role ): int {
		static $number = 0;
		$number += 1;
		$login   = $role . '-' . $number;
		$id      = wp_insert_user(
			array(
				'user_login' => $login,
				'user_pass'  => 'password',
				'user_email' => $login . '@example.test',
				'role'       => $role,
			)
		);
		self::assertIsInt( $id );
		return $id;
	}

	/** Logs a person in as a browser is, and answers the nonce. */
	protected static function log_in( int $id ): string {
		$end                          = time() + HOUR_IN_SECONDS;
		$session                      = \WP_Session_Tokens::get_instance( $id )->create( $end );
		$_COOKIE[ LOGGED_IN_COOKIE ] = wp_generate_auth_cookie( $id, $end, 'logged_in', $session );
		wp_set_current_user( $id );
		return (string) wp_create_nonce( 'wp_rest' );
	}

	/** A post. @param array<string, mixed> $fields */
	protected static function post( array $fields = array() ): int {
		$id = wp_insert_post(
			array_merge(
				array(
					'post_title'   => 'Live',
					'post_content' => 'Live.',
					'post_status'  => 'publish',
					'post_author'  => 1,
				),
				$fields
			),
			true
		);
		self::assertIsInt( $id );
		return $id;
	}

	/** Asks a route with a ticket. */
	protected static function ask( string $route, string $ticket, string $nonce = '' ): \WP_REST_Response {
		$request = new \WP_REST_Request( 'POST', '/lianmai/v1/' . $route );
		$request->set_body_params( array( 'ticket' => $ticket ) );
		if ( '' !== $nonce ) {
			$request->set_header( 'X-WP-Nonce', $nonce );
		}
		return rest_do_request( $request );
	}

	/** Sets the server. @param array<string, mixed> $more */
	protected static function set_server( string $server, array $more = array() ): void {
		update_option( Settings::OPTION, array_merge( array( 'server' => $server ), $more ) );
	}
}
