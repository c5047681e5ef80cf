<?php
/**
 * A post, somebody who reads it, and settings for the time of a test.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

require_once __DIR__ . '/Markup.php';

/** Leaves the site as it was. */
abstract class ContentTestCase extends \PHPUnit\Framework\TestCase {
	protected const SERVER = 'https://live.example.test:8443';

	/**
	 * The post.
	 *
	 * @var int
	 */
	protected static $post = 0;

	/**
	 * The settings.
	 *
	 * @var array<string, mixed>
	 */
	private $settings = array();

	public static function setUpBeforeClass(): void {
		self::$post = (int) wp_insert_post(
			array(
				'post_title'   => 'Content',
				'post_status'  => 'publish',
				'post_content' => 'x',
			)
		);
	}

	public static function tearDownAfterClass(): void {
		wp_delete_post( self::$post, true );
	}

	protected function setUp(): void {
		$this->set( array( 'server' => self::SERVER ) );
		add_filter( 'pre_option_lianmai_settings', array( $this, 'settings' ) );
		$GLOBALS['post'] = get_post( self::$post );
		setup_postdata( $GLOBALS['post'] );
		wp_set_current_user( 0 );
	}

	protected function tearDown(): void {
		remove_filter( 'pre_option_lianmai_settings', array( $this, 'settings' ) );
		remove_all_filters( 'pre_option_lianmai_secret' );
		wp_set_current_user( 0 );
	}

	/**
	 * Other settings, until the test ends.
	 *
	 * @param array<string, mixed> $settings as stored.
	 */
	protected function set( array $settings ): void {
		$this->settings = $settings;
	}

	/** The settings, for WordPress. */
	public function settings(): array {
		return $this->settings;
	}

	/**
	 * A post's content as readers get it.
	 *
	 * @param string $content as written.
	 */
	protected static function page( string $content ): string {
		return trim( (string) apply_filters( 'the_content', $content ) );
	}

	/**
	 * The one player or publisher of a post.
	 *
	 * @param string $content as written.
	 * @return array<string, string>
	 */
	protected static function element( string $content ): array {
		return Markup::element( self::page( $content ) );
	}
}
