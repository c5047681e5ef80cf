<?php
/**
 * Secrets that stand in posts, as old players wanted it.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Finds them, and moves the server's one to the settings, out of the posts and their revisions. */
final class PostSecrets {
	private const REPORT = 'lianmai_moved_';

	/** As many posts at a time as memory bears. */
	private const BATCH = 100;

	/** Hooks the button in. */
	public static function register(): void {
		add_action( 'admin_post_lianmai_move_secrets', array( self::class, 'on_move' ) );
	}

	/**
	 * The posts with secrets; revisions are theirs.
	 *
	 * @return array<int, array<int, array{host: string, secret: string}>> Post => what is in it; '' for a secret of another name.
	 */
	public static function find(): array {
		$found = array();
		self::each(
			static function ( int $id, int $post, string $content ) use ( &$found ): void {
				self::rewrite(
					$content,
					static function ( string $url ) use ( $post, &$found ): string {
						$secrets = Secrets::find( $url );
						if ( array() !== $secrets ) {
							$found[ $post ][] = array(
								'host'   => self::host( $url ),
								'secret' => isset( $secrets['secret'] ) ? $secrets['secret'] : '',
							);
						}
						return $url;
					}
				);
			}
		);
		return $found;
	}

	/**
	 * Moves the server's secret from the posts to the settings.
	 *
	 * @return string What was done, to show.
	 */
	public static function move(): string {
		$secret = Settings::secret();
		if ( '' === $secret ) {
			if ( '' === Settings::api() ) {
				return __( 'Set the server’s address first: a secret belongs to a server.', 'lianmai' );
			}
			$secrets = self::secrets_of_server();
			if ( array() === $secrets ) {
				return __( 'No post holds a secret of the server of the settings. Enter it in the settings; then it can be taken out of the posts.', 'lianmai' );
			}
			if ( count( $secrets ) > 1 ) {
				return __( 'The posts hold different secrets. Enter the right one in the settings; then it can be taken out of the posts.', 'lianmai' );
			}
			$secret = $secrets[0];
			Settings::keep_secret( $secret );
		}
		$cleaned = self::clean( $secret );
		/* translators: %d: how many posts. */
		$report = sprintf( _n( 'The secret is in the settings, and out of %d post and its revisions.', 'The secret is in the settings, and out of %d posts and their revisions.', $cleaned, 'lianmai' ), $cleaned );
		$left   = count( self::find() );
		if ( $left > 0 ) {
			/* translators: %d: how many posts. */
			$report .= ' ' . sprintf( _n( '%d post still holds another secret.', '%d posts still hold other secrets.', $left, 'lianmai' ), $left );
		}
		return $report;
	}

	/** The button. */
	public static function on_move(): void {
		check_admin_referer( 'lianmai_move_secrets' );
		if ( ! current_user_can( 'manage_options' ) || ! current_user_can( 'edit_others_posts' ) ) {
			wp_die( esc_html__( 'You may not do this.', 'lianmai' ), '', array( 'response' => 403 ) );
		}
		set_transient( self::REPORT . get_current_user_id(), self::move(), MINUTE_IN_SECONDS );
		wp_safe_redirect( SettingsPage::address() );
		exit;
	}

	/** What the button did just now, once. */
	public static function last_report(): string {
		$name   = self::REPORT . get_current_user_id();
		$report = get_transient( $name );
		delete_transient( $name );
		return is_string( $report ) ? $report : '';
	}

	/** Takes a secret out of every post and revision; answers out of how many posts. */
	private static function clean( string $secret ): int {
		global $wpdb;
		$cleaned = array();
		self::each(
			static function ( int $id, int $post, string $content ) use ( $secret, &$cleaned, $wpdb ): void {
				$new = self::rewrite(
					$content,
					static function ( string $url ) use ( $secret ): string {
						return in_array( $secret, Secrets::find( $url ), true ) ? Secrets::strip( $url ) : $url;
					}
				);
				if ( $new === $content ) {
					return;
				}
				// Straight into the row: saving as a post would filter what others may write and add a revision.
				// phpcs:ignore WordPress.DB.DirectDatabaseQuery
				$wpdb->update( $wpdb->posts, array( 'post_content' => $new ), array( 'ID' => $id ) );
				clean_post_cache( $id );
				$cleaned[ $post ] = true;
			}
		);
		return count( $cleaned );
	}

	/**
	 * Calls with id, post (a revision's parent) and content of all that may hold an address with a secret.
	 *
	 * @param callable(int, int, string): void $with
	 */
	private static function each( callable $with ): void {
		global $wpdb;
		$last = 0;
		do {
			// phpcs:ignore WordPress.DB.DirectDatabaseQuery
			$rows = (array) $wpdb->get_results(
				$wpdb->prepare(
					"SELECT `ID`, `post_parent`, `post_type`, `post_content` FROM `$wpdb->posts`
					WHERE `ID` > %d AND ( `post_content` LIKE %s OR `post_content` LIKE %s OR `post_content` LIKE %s ) ORDER BY `ID` LIMIT %d",
					$last,
					'%' . $wpdb->esc_like( '[srs_' ) . '%',
					'%' . $wpdb->esc_like( '<!-- wp:lianmai/' ) . '%',
					'%' . $wpdb->esc_like( 'webrtc://' ) . '%',
					self::BATCH
				)
			);
			foreach ( $rows as $row ) {
				$last = (int) $row->ID;
				$with( $last, 'revision' === $row->post_type ? (int) $row->post_parent : $last, (string) $row->post_content );
			}
		} while ( self::BATCH === count( $rows ) );
	}

	/**
	 * A text with its addresses as a function gives them back.
	 *
	 * @param callable(string): string $with
	 */
	private static function rewrite( string $content, callable $with ): string {
		$new = preg_replace_callback(
			'~\b(?:https?|wss?|rtmps?|webrtc):(?:\\\\?/){2}(?:(?!\\\\u00(?:22|3[ce]))[^\s"\'<>\[\]])+~i',
			static function ( array $found ) use ( $with ): string {
				$url = str_replace( array( '\u0026', '&amp;', '&#038;', '&#38;', '\/' ), array( '&', '&', '&', '&', '/' ), $found[0] );
				$new = $with( $url );
				return $new === $url ? $found[0] : self::write( $new, $found[0] );
			},
			$content
		);
		return null === $new ? $content : $new;
	}

	/** @return array<int, string> */
	private static function secrets_of_server(): array {
		$hosts   = array( self::host( Settings::server() ), self::host( Settings::api() ) );
		$secrets = array();
		foreach ( self::find() as $in_post ) {
			foreach ( $in_post as $one ) {
				if ( '' !== $one['secret'] && in_array( $one['host'], $hosts, true ) ) {
					$secrets[] = $one['secret'];
				}
			}
		}
		return array_values( array_unique( $secrets ) );
	}

	private static function host( string $url ): string {
		return strtolower( (string) wp_parse_url( (string) preg_replace( '/^[a-z]+:/i', 'http:', $url ), PHP_URL_HOST ) );
	}

	/** An address spelt as the one it replaces. */
	private static function write( string $url, string $written ): string {
		foreach ( array( '\u0026', '&amp;', '&#038;', '&#38;' ) as $and ) {
			if ( false !== strpos( $written, $and ) ) {
				$url = str_replace( '&', $and, $url );
				break;
			}
		}
		return false !== strpos( $written, '\/' ) ? str_replace( '/', '\/', $url ) : $url;
	}
}
